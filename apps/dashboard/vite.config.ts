import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** `vite` alone serves the pages from sources and asks a running server for the answers. */
const SERVER = 'http://127.0.0.1:4040';

export default defineConfig({
  plugins: [react()],
  // Our libraries from their sources: the dashboard can be built before they are.
  resolve: { conditions: ['hearth-source', 'module', 'browser', 'development|production'] },
  worker: { format: 'es' },
  build: { target: 'es2022', sourcemap: false, assetsInlineLimit: 0, reportCompressedSize: true },
  server: {
    proxy: {
      '/api': SERVER,
      '/install': { target: SERVER, bypass: (request) => (request.url?.endsWith('.tgz') ? null : request.url) },
    },
  },
});
