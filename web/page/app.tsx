import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Target } from "../../engine/request/target.ts";
import { compositeNames, compositeSummary, defaultComposite } from "../../engine/rules/composites.ts";
import type { Explainer } from "../../workers/explainer/client.ts";
import type { ExplainedPhoto, NetworkInfo, Progress } from "../../workers/explainer/messages.ts";
import { createExplainer } from "../explainer/explainer.ts";
import type { WebNetwork } from "../messages.ts";
import type { WebPhoto } from "../photos/post-photo.ts";
import { fileAddress, startPageWorker } from "./brought.ts";
import { examples, offeredNetworks } from "./bundled.ts";
import { type Camera, startCamera } from "./camera.ts";
import { Classes } from "./classes.tsx";
import { Ledger } from "./ledger.tsx";
import { readLink, type Settings, writeLink } from "./link.ts";
import { OwnNetwork } from "./own-network.tsx";
import { saveArray, saveJson, savePanel } from "./save.ts";
import { Viewer } from "./viewer.tsx";

const defaults: Settings = {
  composite: defaultComposite,
  mode: "fast",
  feature: "lab",
  view: "areas",
  strength: 1,
  at: "",
  example: examples[0]?.name ?? "",
};

const stageNames: Readonly<Record<Progress["stage"], string>> = {
  download: "Fetching the network",
  network: "Making the network",
  photo: "Reading the photo",
  forward: "Looking",
  relevance: "Tracing relevance",
  salientRelevance: "Finding areas",
};

const first = offeredNetworks[0]?.network;

function progressText({ stage, done, total }: Progress): string {
  if (stage !== "download") return `${stageNames[stage]} …`;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  return `${stageNames[stage]}: ${megabytes(done)}${total === undefined ? "" : ` of ${megabytes(total)}`} MB`;
}

/** The page. */
export function App(): JSX.Element {
  const [settings, setSettings] = useState(() => readLink(location.hash, defaults));
  const [network, setNetwork] = useState<WebNetwork | undefined>(first);
  const [info, setInfo] = useState<NetworkInfo>();
  const [photo, setPhoto] = useState<{ readonly photo: Blob; readonly name: string }>();
  const [target, setTarget] = useState<Target>("top1");
  const [compared, setCompared] = useState<number>();
  const [explained, setExplained] = useState<ExplainedPhoto>();
  const [explainedName, setExplainedName] = useState("");
  const [source, setSource] = useState<Blob>();
  const [progress, setProgress] = useState("");
  const [problem, setProblem] = useState("");
  const [rate, setRate] = useState<number>();
  const video = useRef<HTMLVideoElement>(null);
  const camera = useRef<Camera | undefined>(undefined);
  const settingsNow = useRef(settings);
  settingsNow.current = settings;

  const explainer = useMemo<Explainer<WebPhoto> | undefined>(() => {
    if (network === undefined) return undefined;
    try {
      return createExplainer({ network, startWorker: () => startPageWorker(network) });
    } catch (error) {
      setProblem(String(error instanceof Error ? error.message : error));
      return undefined;
    }
  }, [network]);
  useEffect(() => () => explainer?.close(), [explainer]);

  const change = (changed: Partial<Settings>): void => setSettings((before) => ({ ...before, ...changed }));
  useEffect(() => {
    const fragment = writeLink(settings, defaults);
    history.replaceState(null, "", fragment === "" ? location.pathname : `#${fragment}`);
  }, [settings]);

  const stopCamera = (): void => {
    camera.current?.stop();
    camera.current = undefined;
    setRate(undefined);
  };
  const takeFile = (file: Blob, name: string): void => {
    stopCamera();
    setProblem("");
    setTarget("top1");
    setCompared(undefined);
    setPhoto({ photo: file, name });
  };
  const takeExample = async (name: string): Promise<void> => {
    const example = examples.find((known) => known.name === name);
    if (example === undefined) return;
    try {
      const response = await fetch(example.file);
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      takeFile(await response.blob(), example.name);
      change({ example: name });
    } catch (error) {
      setProblem(`The example could not be loaded (${String(error)}). Drop a photo of your own.`);
    }
  };
  useEffect(() => void takeExample(settings.example), []);

  // Dropped and pasted photos, wherever on the page.
  useEffect(() => {
    const take = (files: FileList | undefined): void => {
      const file = files?.[0];
      if (file === undefined) return;
      change({ example: "" });
      takeFile(file, file.name.replace(/\.[^.]*$/, ""));
    };
    const dropped = (event: DragEvent): void => {
      event.preventDefault();
      document.body.classList.remove("dragging");
      if (event.target instanceof Element && event.target.closest(".own") !== null) return; // weights, not photos
      take(event.dataTransfer?.files);
    };
    const over = (event: DragEvent): void => {
      event.preventDefault();
      document.body.classList.add("dragging");
    };
    const left = (): void => document.body.classList.remove("dragging");
    const pasted = (event: ClipboardEvent): void => take(event.clipboardData?.files);
    addEventListener("drop", dropped);
    addEventListener("dragover", over);
    addEventListener("dragleave", left);
    addEventListener("paste", pasted);
    return () => {
      removeEventListener("drop", dropped);
      removeEventListener("dragover", over);
      removeEventListener("dragleave", left);
      removeEventListener("paste", pasted);
    };
  }, []);

  // One explanation at a time: a change ends the one before.
  const { composite, mode, feature, at } = settings;
  useEffect(() => {
    if (explainer === undefined || photo === undefined || rate !== undefined) return;
    const controller = new AbortController();
    const onProgress = (now: Progress): void => setProgress(progressText(now));
    const work = async (): Promise<void> => {
      try {
        const loaded = await explainer.open({ onProgress });
        setInfo(loaded);
        setExplained(
          await explainer.explain(photo.photo, {
            target,
            composite,
            salientRelevance: { mode, feature },
            ...(at !== "" && loaded.layers.includes(at) ? { at } : {}),
            signal: controller.signal,
            onProgress,
          }),
        );
        setExplainedName(photo.name);
        setSource(photo.photo);
        setProblem("");
        setProgress("");
      } catch (error) {
        if (error instanceof Error && error.name === "AbortError") return;
        setProblem(error instanceof Error ? error.message : String(error));
        setProgress("");
      }
    };
    void work();
    return () => controller.abort();
  }, [explainer, photo, target, composite, mode, feature, at, rate === undefined]);

  const toggleCamera = async (): Promise<void> => {
    if (camera.current !== undefined) return stopCamera();
    if (explainer === undefined || video.current === null) return;
    try {
      setRate(0);
      camera.current = await startCamera(
        video.current,
        explainer,
        () => settingsNow.current,
        (map, perSecond) => {
          setExplained(map);
          setRate(perSecond);
        },
        (error) => {
          stopCamera();
          setProblem(error instanceof Error ? error.message : String(error));
        },
      );
    } catch (error) {
      stopCamera();
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const name = photo?.name ?? "srmap";
  return (
    <>
      <header>
        <h1>
          <img src={fileAddress("icon.svg")} alt="" width="32" height="32" /> srmap <span>what did it look at?</span>
        </h1>
        <p>Your photo stays on this device: the network runs in this page.</p>
      </header>
      <main data-explained={explainedName}>
        <div class="left">
          <Viewer
            explained={explained}
            source={rate === undefined ? source : undefined}
            info={info}
            view={settings.view}
            strength={settings.strength}
            isBusy={progress !== ""}
            onView={(view) => change({ view })}
            onStrength={(strength) => change({ strength })}
          />
          <p class="status" role="status">
            {rate === undefined ? progress : `${rate.toFixed(1)} maps a second`}
          </p>
          {problem === "" ? null : (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
          <video ref={video} class={rate === undefined ? "hidden" : "live"} muted playsInline aria-label="Camera" />
        </div>
        <div class="right">
          <section class="card photos" aria-label="Photo">
            <label class="drop">
              <input
                type="file"
                accept="image/*"
                onChange={(event) => {
                  const file = event.currentTarget.files?.[0];
                  event.currentTarget.value = "";
                  if (file === undefined) return;
                  change({ example: "" });
                  takeFile(file, file.name.replace(/\.[^.]*$/, ""));
                }}
              />
              <strong>Choose a photo</strong> <span>or drop or paste one anywhere</span>
            </label>
            <div class="row">
              {examples.map((example) => (
                <button key={example.name} type="button" class="thumb" onClick={() => void takeExample(example.name)}>
                  <img src={example.file} alt={example.title} width="56" height="56" />
                </button>
              ))}
              <button type="button" class="plain" aria-pressed={rate !== undefined} onClick={() => void toggleCamera()}>
                {rate === undefined ? "Camera" : "Stop camera"}
              </button>
            </div>
          </section>
          <Classes
            explained={explained}
            compared={compared}
            onCompare={setCompared}
            onTarget={(next) => {
              setTarget(next);
              setCompared(undefined);
            }}
          />
          <section class="card" aria-label="Method">
            <h2>How</h2>
            <label class="field">
              <span>Rules</span>
              <select value={composite} onChange={(event) => change({ composite: event.currentTarget.value })}>
                {compositeNames().map((option) => (
                  <option key={option} value={option}>
                    {option}
                  </option>
                ))}
              </select>
            </label>
            <p class="hint">{compositeSummary(composite)}</p>
            <label class="field">
              <span>Areas</span>
              <select
                value={mode}
                onChange={(event) => change({ mode: event.currentTarget.value === "exact" ? "exact" : "fast" })}
              >
                <option value="fast">fast</option>
                <option value="exact">exact</option>
              </select>
            </label>
            <p class="hint">
              {mode === "exact"
                ? "Every 7×7 patch of the relevance map is compared with its 64 most similar patches, found exactly."
                : "The most similar patches are found by an estimate: nearly the same map in a third of the time."}
            </p>
            <label class="field">
              <span>Patches of</span>
              <select
                value={feature}
                onChange={(event) => change({ feature: event.currentTarget.value === "gray" ? "gray" : "lab" })}
              >
                <option value="lab">colours of the heat map</option>
                <option value="gray">relevance itself</option>
              </select>
            </label>
            <label class="field">
              <span>Inside the network</span>
              <select value={at} onChange={(event) => change({ at: event.currentTarget.value, view: "relevance" })}>
                <option value="">at the photo</option>
                {(info?.layers ?? []).map((layer) => (
                  <option key={layer} value={layer}>
                    at {layer}
                  </option>
                ))}
              </select>
            </label>
          </section>
          <OwnNetwork
            info={info}
            onNetwork={(next) => {
              stopCamera();
              setProblem("");
              setInfo(undefined);
              setTarget("top1");
              setNetwork(next);
            }}
          />
          {explained === undefined ? null : (
            <details class="card">
              <summary>Where relevance went</summary>
              <p class="hint">
                From the class's score (top) to the photo (bottom): handed on, <i class="bias">bias</i>,{" "}
                <i class="stabilizer">stabiliser</i>, <i class="dropped">dropped</i>.
              </p>
              <Ledger rows={explained.ledger} />
            </details>
          )}
          {explained === undefined ? null : (
            <section class="card" aria-label="Save">
              <h2>Save</h2>
              <div class="row">
                <button type="button" class="plain" onClick={() => void savePanel(explained, name)}>
                  Panel (PNG)
                </button>
                <button type="button" class="plain" onClick={() => saveArray(explained, "relevance", name)}>
                  Relevance (npy)
                </button>
                <button type="button" class="plain" onClick={() => saveArray(explained, "salientRelevance", name)}>
                  Areas (npy)
                </button>
                <button type="button" class="plain" onClick={() => saveJson(explained, name)}>
                  JSON
                </button>
                <button type="button" class="plain" onClick={() => void navigator.clipboard?.writeText(location.href)}>
                  Copy link
                </button>
              </div>
            </section>
          )}
        </div>
      </main>
      <footer>
        <p>
          Layer-wise relevance propagation and Salient Relevance maps (Li, Tian, Mueller, Chen 2019). Photos and
          networks stay in this browser.{" "}
          {info?.notKept === undefined
            ? ""
            : "This browser could not keep the network for the next visit (its storage is full or forbidden), so it will be fetched again. "}
          {info === undefined ? "" : `${info.name}, ${info.threads === 1 ? "one thread" : `${info.threads} threads`}.`}
        </p>
      </footer>
    </>
  );
}
