// A row by its key: node peer.js PORT POSTGRES_DIRECTORY POSTGRES_PORT

const { Pool, types } = require('pg');
const fastify = require('fastify')({ keepAliveTimeout: 3600000 });

const [port, host, database] = process.argv.slice(2);

types.setTypeParser(types.builtins.INT8, Number);

const pool = new Pool({
    host, port: Number(database), user: 'api', database: 'app', max: 16,
});

fastify.get('/rows/:id', {
    schema: {
        params: { type: 'object', properties: { id: { type: 'integer' } } },
        response: {
            200: {
                type: 'object',
                properties: {
                    id: { type: 'integer' },
                    body: { type: 'string' },
                },
            },
        },
    },
}, async (request, reply) => {
    const { rows } = await pool.query({
        name: 'row',
        text: 'SELECT id, body FROM bench WHERE id = $1',
        values: [request.params.id],
    });

    return rows.length ? rows[0] : reply.code(404).send();
});

fastify.listen({ port: Number(port), host: '127.0.0.1' });
