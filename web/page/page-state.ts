import { useEffect, useState } from "preact/hooks";
import type { Target } from "../../engine/request/target.ts";
import type { ExplainedPhoto, NetworkInfo } from "../../workers/explainer/messages.ts";
import type { WebNetwork } from "../messages.ts";
import { offeredNetworks } from "./bundled.ts";
import { type PageCamera, useCamera } from "./camera.ts";
import type { Choice } from "./classes.tsx";
import { useExplainer, useExplanation } from "./explanation.ts";
import type { Settings } from "./link.ts";
import { useOffline } from "./offline.ts";
import { fetchExample, type NamedPhoto, useBroughtPhotos } from "./photos.ts";
import { problemText } from "./problem.tsx";
import { useSettings } from "./settings.ts";

const firstNetwork = offeredNetworks[0]?.network;

/** An explanation, and the photo it is of; frames of the camera are of none. */
interface Shown {
  readonly explained?: ExplainedPhoto;
  readonly photo?: NamedPhoto;
}

const likeliest: Choice = { target: "top1", compared: undefined };

/** What the page shows, and what can be done in it. */
export interface PageState {
  readonly settings: Settings;
  /** The network that was chosen; undefined on a page without any. */
  readonly network: WebNetwork | undefined;
  /** What is known of it; undefined until it is loaded. */
  readonly info: NetworkInfo | undefined;
  readonly shown: Shown;
  /** What is to be explained; the newest explanation may still be of another. */
  readonly choice: Choice;
  /** What the explainer is at, and what went wrong; empty for nothing. */
  readonly progress: string;
  readonly problem: string;
  readonly camera: PageCamera;
  readonly change: (changed: Partial<Settings>) => void;
  readonly explainClass: (target: Target) => void;
  readonly compare: (index: number | undefined) => void;
  readonly takePhoto: (photo: NamedPhoto) => void;
  readonly takeExample: (name: string) => Promise<void>;
  readonly takeNetwork: (network: WebNetwork) => void;
  readonly closeProblem: () => void;
}

/** The state of the page: it begins with the example and the settings of its address. */
export function usePageState(): PageState {
  const [settings, change] = useSettings();
  const [network, setNetwork] = useState<WebNetwork | undefined>(firstNetwork);
  const [info, setInfo] = useState<NetworkInfo>();
  const [photo, setPhoto] = useState<NamedPhoto>();
  const [choice, setChoice] = useState(likeliest);
  const [shown, setShown] = useState<Shown>({});
  const [problem, setProblem] = useState("");
  const explainer = useExplainer(network, setProblem);
  const camera = useCamera(explainer, settings, (explained) => setShown({ explained }), setProblem);
  const progress = useExplanation(
    { explainer, photo, target: choice.target, settings, isPaused: camera.rate !== undefined },
    {
      onNetwork: setInfo,
      onExplained: (explained, of) => setShown({ explained, photo: of }),
      onProblem: setProblem,
    },
  );
  const beginAnew = (): void => {
    camera.stop();
    setProblem("");
    setChoice(likeliest);
  };
  const takePhoto = (next: NamedPhoto, example = ""): void => {
    beginAnew();
    setPhoto(next);
    change({ example });
  };
  const takeExample = async (name: string): Promise<void> => {
    try {
      const example = await fetchExample(name);
      if (example !== undefined) takePhoto(example, name);
    } catch (error) {
      setProblem(problemText(error));
    }
  };
  const takeNetwork = (next: WebNetwork): void => {
    beginAnew();
    setInfo(undefined);
    setNetwork(next);
  };
  useEffect(() => void takeExample(settings.example), []);
  useBroughtPhotos(takePhoto);
  useOffline(shown.explained !== undefined || problem !== "");
  return {
    ...{ settings, network, info, shown, choice, progress, problem, camera },
    ...{ change, takePhoto, takeExample, takeNetwork },
    closeProblem: () => setProblem(""),
    explainClass: (next) => setChoice({ target: next, compared: undefined }),
    compare: (index) => setChoice({ target: choice.target, compared: index }),
  };
}
