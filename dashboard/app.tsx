/*
 * The dashboard: what the server does, while it does it.
 */
import './app.css';
import 'uplot/dist/uPlot.min.css';
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Choice } from './choice.js';
import { Feed, type FeedState } from './feed.js';
import { formatAge, formatTime } from './format.js';
import { Requests } from './requests.js';
import { useTheme } from './theme.js';
import { Traffic } from './traffic.js';
import { Upstreams } from './upstreams.js';
import { Verdict } from './verdict.js';
import type { View } from './view.js';

/** As far as the server remembers. */
const WINDOWS = [1, 5, 10].map((value) => ({ value, label: `${value} min` }));

function App() {
  const [{ view, trouble }, setState] = useState<FeedState>({ view: null, trouble: null });
  const [minutes, setMinutes] = useState(5);
  const feed = useRef<Feed | null>(null);
  const { theme, next, change, look } = useTheme();
  useEffect(() => {
    feed.current = new Feed(setState);
    return feed.current.start();
  }, []);
  return (
    <>
      <header class="top">
        <img src="icon.svg" alt="" width="28" height="28" />
        <h1>Sluice</h1>
        <span class="where">{location.host}</span>
        <Liveness isKnown={view !== null} trouble={trouble} />
        <span class="room" />
        <Choice name="How much of the past" options={WINDOWS} chosen={minutes} choose={setMinutes} />
        <button
          type="button"
          class="theme"
          aria-label={`Colours: ${theme}; change to ${next}`}
          onClick={change}
        >
          <span aria-hidden="true">{theme === 'auto' ? '◐' : theme === 'light' ? '☀' : '☾'}</span> {theme}
        </button>
      </header>
      {view === null ? (
        <p class="empty">{trouble === null ? 'Asking the server …' : `Nothing to show: ${trouble}.`}</p>
      ) : (
        <main class={trouble === null ? '' : 'stale'}>
          {view.restartedAtMs !== null && (
            <p class="note" role="status">
              The server was started anew; seen at {formatTime(view.restartedAtMs)}.
            </p>
          )}
          <Verdict view={view} />
          <Traffic view={view} windowMs={minutes * 60_000} theme={look} />
          <Upstreams view={view} refresh={() => void feed.current?.ask()} />
          <Requests view={view} />
          <Foot view={view} />
        </main>
      )}
    </>
  );
}

function Liveness({ isKnown, trouble }: { isKnown: boolean; trouble: string | null }) {
  if (trouble !== null) {
    return (
      <span class="pill bad" role="status">
        Lost the server: {trouble}. Trying again …
      </span>
    );
  }
  return (
    <span class={isKnown ? 'pill good' : 'pill'} role="status">
      {isKnown ? 'Live' : 'Connecting …'}
    </span>
  );
}

function Foot({ view: { snapshot } }: { view: View }) {
  const { version, pid, workers, startedAtMs, wallMs, mayWrite } = snapshot;
  return (
    <footer>
      Sluice {version}, process {pid} with {workers === 1 ? 'one worker' : `${workers} workers`}, watched for{' '}
      {formatAge(wallMs - startedAtMs)}. Times are in this browser's zone.{' '}
      {mayWrite ? 'Servers can be drained here.' : 'This page may change nothing (write=on allows it).'}{' '}
      <a href="licenses.txt">Licenses</a>
    </footer>
  );
}

render(<App />, document.body);
