// Service worker: the page works without a network after the first visit. Files of the page come from the cache and are renewed behind it;
// weights keep their own cache (network/download.ts).

/** The part of ServiceWorkerGlobalScope that is used here. */
interface Scope {
  readonly location: Location;
  addEventListener(
    type: "install" | "activate",
    listener: (event: { waitUntil(done: Promise<unknown>): void }) => void,
  ): void;
  addEventListener(
    type: "fetch",
    listener: (event: { readonly request: Request; respondWith(answer: Promise<Response>): void }) => void,
  ): void;
  skipWaiting(): Promise<void>;
}

declare const pageFiles: readonly string[]; // written by the build
declare const pageVersion: string; // written by the build, from the files' contents

const scope = globalThis as unknown as Scope; // this script is loaded as a service worker alone
const cacheName = `srmap-page-${pageVersion}`;

scope.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(pageFiles))
      .then(() => scope.skipWaiting()),
  );
});

scope.addEventListener("activate", (event) => {
  // The page that is open is not claimed: Firefox can wait for ever then, the worker for the page and the page's requests for the worker.
  const clean = async (): Promise<void> => {
    for (const name of await caches.keys()) {
      if (name.startsWith("srmap-page-") && name !== cacheName) await caches.delete(name);
    }
  };
  event.waitUntil(clean());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== scope.location.origin) return;
  const answer = async (): Promise<Response> => {
    const cache = await caches.open(cacheName);
    return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
  };
  event.respondWith(answer());
});
