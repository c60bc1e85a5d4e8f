// What one would write instead of mod_condreq: documents over Fastify, with
// SQLite in the process or PostgreSQL beside it. As good as a careful author
// makes it: prepared statements, the condition within the UPDATE, durable.
'use strict';

const [port, kind, database, documents, bytes] = process.argv.slice(2);
const document = `{"text": "${'x'.repeat(Number(bytes) - 12)}"}`;

function sqlite() {
    const db = require('better-sqlite3')(database);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec('CREATE TABLE documents (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL)');
    const insert = db.prepare('INSERT INTO documents VALUES (?, 1, ?)');
    db.transaction(() => {
        for (let id = 0; id < Number(documents); id++)
            insert.run(id, document);
    })();
    const version = db.prepare('SELECT version FROM documents WHERE id = ?').pluck();
    const select = db.prepare('SELECT version, body FROM documents WHERE id = ?');
    const update = db.prepare('UPDATE documents SET body = ?, version = version + 1 WHERE id = ? AND version = ?');
    return {
        version: async id => version.get(id),
        select: async id => select.get(id),
        update: async (id, expected, body) => update.run(body, id, expected).changes === 1,
    };
}

async function postgres() {
    const { Pool } = require('pg');
    const pool = new Pool({ connectionString: database, max: 64 });
    await pool.query('CREATE TABLE documents (id integer PRIMARY KEY, version bigint NOT NULL, body text NOT NULL) WITH (fillfactor = 50)');
    await pool.query('INSERT INTO documents SELECT n, 1, $1 FROM generate_series(0, $2::int - 1) AS n', [document, documents]);
    const one = async (name, text, values) => (await pool.query({ name, text, values })).rows[0];
    return {
        version: async id => (await one('version', 'SELECT version FROM documents WHERE id = $1', [id]))?.version,
        select: id => one('select', 'SELECT version, body FROM documents WHERE id = $1', [id]),
        update: async (id, expected, body) =>
            (await pool.query({
                name: 'update',
                text: 'UPDATE documents SET body = $3, version = version + 1 WHERE id = $1 AND version = $2',
                values: [id, expected, body],
            })).rowCount === 1,
    };
}

const tag = version => `"${version}"`;

function routes(app, store) {
    app.get('/documents/:id', async (request, reply) => {
        const asked = request.headers['if-none-match'];
        if (asked) {
            const version = await store.version(Number(request.params.id));
            if (version !== undefined && asked === tag(version))
                return reply.code(304).header('ETag', asked).send();
        }
        const found = await store.select(Number(request.params.id));
        if (!found)
            return reply.code(404).send();
        return reply.header('ETag', tag(found.version)).type('application/json').send(found.body);
    });
    app.put('/documents/:id', async (request, reply) => {
        const expected = Number((request.headers['if-match'] ?? '').slice(1, -1));
        if (!await store.update(Number(request.params.id), expected, JSON.stringify(request.body)))
            return reply.code(412).send();
        return reply.code(204).header('ETag', tag(expected + 1)).send();
    });
}

(async () => {
    const app = require('fastify')({ keepAliveTimeout: 120000, bodyLimit: 64 << 20 });
    routes(app, kind === 'sqlite' ? sqlite() : await postgres());
    await app.listen({ port: Number(port), host: '127.0.0.1' });
})().catch(error => { console.error(error); process.exit(1); });
