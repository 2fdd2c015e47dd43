import { render } from "preact";
import { App } from "./app.tsx";
import { isStranded } from "./brought.ts";

const place = document.getElementById("app");
if (isStranded()) {
  location.replace(`srmap.html${location.hash}`); // beside it where the page was exported
} else if (place !== null) {
  place.replaceChildren();
  render(<App />, place);
}
// Offline after the first visit. Pages from file: and plain http have no service workers, and do without.
if ("serviceWorker" in navigator && location.protocol.startsWith("http")) {
  navigator.serviceWorker.register("sw.js").catch(() => {}); // the page works all the same
}
