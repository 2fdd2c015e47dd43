import { useEffect, useState } from "react";
import { definition, weights } from "srmap/models/squeezenet1_1-caffe";
import { createExplainer } from "srmap/web";

// One for the whole app: it keeps its worker and its network.
const explainer = createExplainer({ network: { weights: weights(), model: definition() } });

/** Explains the file; a new one ends the one before. */
export function useExplanation(file) {
  const [state, setState] = useState({});
  useEffect(() => {
    if (!file) return;
    const controller = new AbortController();
    const onProgress = ({ stage }) => setState((before) => ({ ...before, stage }));
    explainer
      .explain(file, { signal: controller.signal, onProgress })
      .then((explained) => setState({ explained }))
      .catch((error) => error.name !== "AbortError" && setState({ problem: error.message }));
    return () => controller.abort();
  }, [file]);
  return state;
}
