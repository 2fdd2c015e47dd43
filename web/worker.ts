// The worker of a page's explainer: a module worker. Started by explainer.ts.
import { serve } from "./explainer/serve.ts";
import { loadNetwork } from "./network/load-network.ts";

serve(loadNetwork);
