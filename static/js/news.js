// Tells on the page of triage what its presence brings.

import { Presence } from "./presence.js";
import { announce, isAnnouncing } from "./site.js";

const PRESENCE_MS = 10000;

/**
 * Say from now on that the page is open, and tell what comes of it.
 * @param {import("./triage-server.js").Server} server
 * @param {import("./lineup.js").Lineup} lineup
 * @param {(detection: string) => void} lookAgain
 */
export function keepPresent(server, lineup, lookAgain) {
  const presence = new Presence((told) => server.isHere(told), {
    onWindows: (windows) => lineup.seeWindows(windows),
    isTelling: isAnnouncing,
    tell: ({ text, detection }) => announce(text, { title: "Look at it again", act: () => lookAgain(detection) }),
  });
  setInterval(() => presence.beat(), PRESENCE_MS);
}
