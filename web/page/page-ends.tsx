import type { JSX } from "preact";
import type { NetworkInfo } from "../../workers/explainer/messages.ts";
import { fileAddress } from "./brought.ts";

/** The top of the page: what it is, and that photos stay here. */
export function PageHeader(): JSX.Element {
  return (
    <header>
      <img src={fileAddress("icon.svg")} alt="srmap" width="44" height="44" />
      <h1>What did it look at?</h1>
      <p>
        A neural network names your photo; the map shows which parts made it say so.{" "}
        <strong>The photo stays on your device.</strong>
      </p>
    </header>
  );
}

/** The foot of the page: the method, and what runs. */
export function PageFooter({ info }: { readonly info: NetworkInfo | undefined }): JSX.Element {
  return (
    <footer>
      <p>
        srmap: layer-wise relevance propagation and Salient Relevance maps (Li, Tian, Mueller, Chen 2019). Photos and
        networks stay in this browser.{" "}
        {info?.notKept === undefined
          ? ""
          : "This browser could not keep the network for the next visit (its storage is full or forbidden), so it will be fetched again. "}
        {info === undefined ? "" : `${info.name}, ${info.threads === 1 ? "one thread" : `${info.threads} threads`}.`}
      </p>
    </footer>
  );
}
