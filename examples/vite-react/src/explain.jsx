import { useEffect, useRef, useState } from "react";
import { overlay } from "srmap";
import { drawImage } from "srmap/web";
import { useExplanation } from "./use-explanation.js";

export function Explain() {
  const [file, setFile] = useState();
  const canvas = useRef(null);
  const { explained, stage, problem } = useExplanation(file);
  useEffect(() => {
    if (explained) drawImage(canvas.current, overlay(explained.picture, explained.salientRelevance));
  }, [explained]);
  return (
    <main>
      <label>
        Photo <input type="file" accept="image/*" onChange={({ target }) => setFile(target.files[0])} />
      </label>
      <p role="status">
        {problem ??
          (stage
            ? `${stage} …`
            : explained && `${explained.target.label}, ${(100 * explained.target.probability).toFixed(1)} %`)}
      </p>
      <canvas ref={canvas} aria-label="Where the network looked" />
    </main>
  );
}
