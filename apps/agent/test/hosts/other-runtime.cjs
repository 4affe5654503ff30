// Preloaded: looks like another runtime, as its compatibility with Node does. OTHER_RUNTIME: which
Object.defineProperty(process, 'versions', { value: { ...process.versions, [process.env.OTHER_RUNTIME]: '1.2.3' } });
