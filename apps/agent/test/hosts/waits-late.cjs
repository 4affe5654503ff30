// Libraries that are loaded after the agent has started. argv: Postgres, Redis, `require` or `import`
const { flush, init, stop, transaction } = require('../../dist/index.cjs');

init({ periodMs: 1_000 });
void (async () => {
  const [postgresUrl, redisUrl, how] = process.argv.slice(2);
  const { default: pg } = how === 'import' ? await import('pg') : { default: require('pg') };
  const { default: Redis } = how === 'import' ? await import('ioredis') : { default: require('ioredis') };
  const pool = new pg.Pool({ connectionString: postgresUrl });
  const redis = new Redis(redisUrl);
  await transaction('late', async function late() {
    await pool.query('SELECT 1');
    await redis.get('x');
    await redis.pipeline().get('a').get('b').exec();
    await redis.multi().get('a').exec();
  });
  await flush();
  await pool.end();
  redis.disconnect();
  await stop();
})();
