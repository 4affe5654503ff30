// A processor of BullMQ that is a file. It says in which process it ran.
import { wrapProcessor } from '../../dist/bullmq.mjs';
import { burn } from './work.mjs';

// oxlint-disable-next-line import/no-default-export -- BullMQ runs the default export of a processor's file
export default wrapProcessor(async function sendMail() {
  burn(50);
  return process.pid;
});
