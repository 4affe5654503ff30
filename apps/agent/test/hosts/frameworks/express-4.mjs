import express from 'express-4';
import { listenByExpress } from './express-app.mjs';

export const listen = (handlers) => listenByExpress(express, handlers);
