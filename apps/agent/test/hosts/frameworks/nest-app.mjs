// NestJS on either platform. Decorators are applied by hand: this program is not compiled.
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transaction } from '../../../dist/index.mjs';

export async function listenByNest(adapter, { user, order, fails }) {
  class Users {
    find(id) {
      return user(id);
    }
    async fails() {
      await fails();
    }
  }
  class Orders {
    find(org, id) {
      return order(org, id);
    }
  }
  controller(Users, '', { find: [Get('users/:id')], fails: [Transaction(), Get('fails/:id')] });
  controller(Orders, 'orgs/:org/orders', { find: [Get(':id')] });
  Param('id')(Users.prototype, 'find', 0);
  Param('org')(Orders.prototype, 'find', 0);
  Param('id')(Orders.prototype, 'find', 1);
  class App {}
  Module({ controllers: [Users, Orders] })(App);

  const app = await NestFactory.create(App, adapter, { logger: false, forceCloseConnections: true });
  await app.listen(0, '127.0.0.1');
  return { port: app.getHttpServer().address().port, close: () => app.close() };
}

/** The last decorator of a method is the first to be applied, as above a method in TypeScript. */
function controller(Class, path, methods) {
  for (const [name, decorators] of Object.entries(methods)) {
    const descriptor = Object.getOwnPropertyDescriptor(Class.prototype, name);
    for (const decorator of decorators.toReversed()) decorator(Class.prototype, name, descriptor);
    Object.defineProperty(Class.prototype, name, descriptor);
  }
  Controller(path)(Class);
}
