import type { JSX } from "preact";
import { Classes } from "./classes.tsx";
import { MethodCard } from "./method-card.tsx";
import { OwnNetwork } from "./own-network.tsx";
import { PageFooter, PageHeader } from "./page-ends.tsx";
import { usePageState } from "./page-state.ts";
import { PhotoCard } from "./photo-card.tsx";
import { ProblemNotice } from "./problem.tsx";
import { LedgerCard, SaveCard } from "./result-cards.tsx";
import { Viewer } from "./viewer.tsx";

const rateText = (rate: number): string => (rate === 0 ? "Starting the camera …" : `${rate.toFixed(1)} maps a second`);

/** The page. */
export function App(): JSX.Element {
  const { settings, info, shown, choice, progress, problem, camera, ...page } = usePageState();
  const { explained, photo } = shown;
  const isLive = camera.rate !== undefined;
  return (
    <>
      <PageHeader />
      <main data-explained={photo?.name}>
        <div class="left">
          <PhotoCard camera={camera} onPhoto={page.takePhoto} onExample={(example) => void page.takeExample(example)} />
          <Viewer
            explained={explained}
            source={photo?.photo}
            info={info}
            view={settings.view}
            strength={settings.strength}
            isBusy={progress !== ""}
            change={page.change}
          >
            <video
              ref={camera.video}
              class="live"
              hidden={!isLive}
              tabIndex={-1}
              muted
              playsInline
              aria-label="Camera"
            />
            <p class="status" role="status">
              {camera.rate === undefined ? progress : rateText(camera.rate)}
            </p>
          </Viewer>
        </div>
        <div class="right">
          <Classes explained={explained} choice={choice} onCompare={page.compare} onTarget={page.explainClass} />
          {explained === undefined ? null : <SaveCard explained={explained} name={photo?.name ?? "camera"} />}
          <MethodCard info={info} settings={settings} change={page.change} />
          <OwnNetwork info={info} network={page.network} onNetwork={page.takeNetwork} />
        </div>
        {explained === undefined ? null : <LedgerCard explained={explained} />}
      </main>
      <PageFooter info={info} />
      <ProblemNotice text={problem} onClose={page.closeProblem} />
    </>
  );
}
