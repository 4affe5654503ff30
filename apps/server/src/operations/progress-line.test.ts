import { expect, it } from 'vitest';
import { ProgressLine } from './progress-line.js';

function lines(isTTY: boolean) {
  const written: string[] = [];
  const stream = {
    isTTY,
    write: (text: string) => {
      written.push(text);
      return true;
    },
  };
  return { written, progress: new ProgressLine(stream) };
}

it('writes one changing line on a terminal, and what stays below it', () => {
  const { written, progress } = lines(true);
  progress.update('1 %');
  progress.update('too soon');
  progress.line('done');
  progress.line('more');
  expect(written.join('')).toBe('\r\x1b[2K1 %\r\x1b[2Kdone\n\r\x1b[2Kmore\n');
});

it('writes plain lines elsewhere, and few of them', () => {
  const { written, progress } = lines(false);
  for (let percent = 1; percent < 100; percent += 1) progress.update(`${percent} %`);
  progress.line('done');
  expect(written).toEqual(['1 %\n', 'done\n']);
});
