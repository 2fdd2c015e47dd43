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
