// The worker of the page for the networks that come with it: a third less to fetch than the one that reads every format.
import { serve } from "../explainer/serve.ts";
import { loadBundled } from "../network/load-bundled.ts";

serve(loadBundled);
