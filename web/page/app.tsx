import type { JSX } from "preact";
import { Classes } from "./classes.tsx";
import { MethodCard } from "./method-card.tsx";
import { OwnNetwork } from "./own-network.tsx";
import { PageFooter, PageHeader } from "./page-ends.tsx";
import { usePageState } from "./page-state.ts";
import { PhotoCard } from "./photo-card.tsx";
import { Problem } from "./problem.tsx";
import { LedgerCard, SaveCard } from "./result-cards.tsx";
import { Viewer } from "./viewer.tsx";

/** The page. */
export function App(): JSX.Element {
  const { settings, info, shown, compared, progress, problem, camera, ...page } = usePageState();
  const { explained, photo } = shown;
  const isLive = camera.rate !== undefined;
  return (
    <>
      <PageHeader />
      <main data-explained={photo?.name}>
        <div class="left">
          <Viewer
            explained={explained}
            source={photo?.photo}
            info={info}
            view={settings.view}
            strength={settings.strength}
            isBusy={progress !== ""}
            change={page.change}
          />
          <p class="status" role="status">
            {camera.rate === undefined ? progress : `${camera.rate.toFixed(1)} maps a second`}
          </p>
          <Problem text={problem} />
          <video ref={camera.video} class={isLive ? "live" : "hidden"} muted playsInline aria-label="Camera" />
        </div>
        <div class="right">
          <PhotoCard camera={camera} onPhoto={page.takePhoto} onExample={(example) => void page.takeExample(example)} />
          <Classes explained={explained} compared={compared} onCompare={page.compare} onTarget={page.explainClass} />
          <MethodCard info={info} settings={settings} change={page.change} />
          <OwnNetwork info={info} onNetwork={page.takeNetwork} />
          {explained === undefined ? null : <LedgerCard explained={explained} />}
          {explained === undefined ? null : <SaveCard explained={explained} name={photo?.name ?? "camera"} />}
        </div>
      </main>
      <PageFooter info={info} />
    </>
  );
}
