import type { JSX } from "preact";
import type { NetworkInfo } from "../../workers/explainer/messages.ts";
import { fileAddress } from "./brought.ts";

/** The top of the page: what it is, and that photos stay here. */
export function PageHeader(): JSX.Element {
  return (
    <header>
      <h1>
        <img src={fileAddress("icon.svg")} alt="" width="32" height="32" /> srmap <span>what did it look at?</span>
      </h1>
      <p>Your photo stays on this device: the network runs in this page.</p>
    </header>
  );
}

/** The foot of the page: the method, and what runs. */
export function PageFooter({ info }: { readonly info: NetworkInfo | undefined }): JSX.Element {
  return (
    <footer>
      <p>
        Layer-wise relevance propagation and Salient Relevance maps (Li, Tian, Mueller, Chen 2019). Photos and networks
        stay in this browser.{" "}
        {info?.notKept === undefined
          ? ""
          : "This browser could not keep the network for the next visit (its storage is full or forbidden), so it will be fetched again. "}
        {info === undefined ? "" : `${info.name}, ${info.threads === 1 ? "one thread" : `${info.threads} threads`}.`}
      </p>
    </footer>
  );
}
