import express from 'express';
import { listenByExpress } from './express-app.mjs';

export const listen = (handlers) => listenByExpress(express, handlers);
