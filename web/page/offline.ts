import { useEffect } from "preact/hooks";

/**
 * Keeps the page for visits without a network, once its first picture is there or cannot be: what is kept would take the line from the
 * network that is being loaded (a second of the first map's time at 1.6 Mbit/s).
 */
export function useOffline(isSettled: boolean): void {
  useEffect(() => {
    // Pages from file: and plain http have no service workers, and do without.
    if (!isSettled || !("serviceWorker" in navigator) || !location.protocol.startsWith("http")) return;
    navigator.serviceWorker.register("sw.js").catch(() => {}); // the page works all the same
  }, [isSettled]);
}
