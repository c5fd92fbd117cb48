/*
 * Light, dark, or as the system has it. The choice is kept in this browser.
 */
import { useEffect, useState } from 'preact/hooks';

const KEY = 'sluice-theme';
const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** The theme, its successor, a function that takes that, and a text that is another one whenever colours are. */
export function useTheme(): { theme: Theme; next: Theme; change: () => void; look: string } {
  const [theme, setTheme] = useState<Theme>(readTheme);
  const [isSystemDark, setSystemDark] = useState(() => systemDark().matches);
  useEffect(() => {
    const query = systemDark();
    const listen = () => setSystemDark(query.matches);
    query.addEventListener('change', listen);
    return () => query.removeEventListener('change', listen);
  }, []);
  document.documentElement.dataset.theme = theme;
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  const change = () => {
    setTheme(next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // A browser that keeps nothing forgets it with the page.
    }
  };
  return { theme, next, change, look: `${theme} ${isSystemDark}` };
}

function systemDark(): MediaQueryList {
  return window.matchMedia('(prefers-color-scheme: dark)');
}

function readTheme(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}
