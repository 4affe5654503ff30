import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { copyIn, CopyWriter, type StreamingClient } from './copy.js';

describe('copyIn', () => {
  it('takes a second error of the stream in silence: one that nobody listens for would end the process', async () => {
    let stream: Writable | undefined;
    const client: StreamingClient = {
      query: (copy) => {
        if (copy instanceof Writable) stream = copy;
        return copy;
      },
    };
    const copying = copyIn(client, 'piece (data)', new CopyWriter().finish());
    stream!.emit('error', new Error('refused'));
    expect(() => stream!.emit('error', new Error('connection is null'))).not.toThrow();
    await expect(copying).rejects.toThrow('refused');
  });
});
