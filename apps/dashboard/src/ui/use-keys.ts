import { useEffect, useRef } from 'react';

/** Keys of the page: a key, or two one after the other (`g s`). Never while something is typed or a modifier is held. */
export function useKeys(handlers: Readonly<Record<string, () => void>>): void {
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    let before = '';
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      const pair = `${before} ${event.key}`;
      const name = Object.hasOwn(latest.current, pair) ? pair : event.key;
      before = event.key;
      if (!Object.hasOwn(latest.current, name)) return;
      event.preventDefault();
      before = '';
      latest.current[name]!();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
