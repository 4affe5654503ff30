// Before a program of the documents: whatever port it names, it listens on a free one of the loopback, and says which.
import { Server } from 'node:net';

const { listen } = Server.prototype;
Server.prototype.listen = function listenAnywhere(...args) {
  const callback = args.findLast((argument) => typeof argument === 'function');
  this.once('listening', () => console.log(`port ${this.address().port}`));
  return Reflect.apply(listen, this, [0, '127.0.0.1', ...(callback === undefined ? [] : [callback])]);
};
