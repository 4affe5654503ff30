// A processor of BullMQ that is a file. It says in which process it ran.
import { wrapProcessor } from '../../dist/bullmq.mjs';
import { burn } from './work.mjs';

// oxlint-disable-next-line import/no-default-export -- BullMQ asks for it
export default wrapProcessor(async function sendMail() {
  burn(50);
  return process.pid;
});
