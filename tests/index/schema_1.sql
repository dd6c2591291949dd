-- The tables as Footnote 0.1 made them in SQLite before it kept revisions.
CREATE TABLE documents (
	version_id INTEGER NOT NULL,
	document_id VARCHAR NOT NULL,
	live BOOLEAN NOT NULL,
	source VARCHAR NOT NULL,
	title TEXT NOT NULL,
	text TEXT NOT NULL,
	media_type VARCHAR NOT NULL,
	source_hash VARCHAR NOT NULL,
	content_hash VARCHAR NOT NULL,
	pages JSON NOT NULL,
	indexed_at DATETIME NOT NULL,
	PRIMARY KEY (version_id),
	UNIQUE (document_id, live)
);
CREATE INDEX ix_documents_source ON documents (source);
CREATE INDEX ix_documents_live ON documents (live);
CREATE INDEX ix_documents_document_id ON documents (document_id);
CREATE TABLE properties (
	name VARCHAR NOT NULL,
	value VARCHAR NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE sources (
	source VARCHAR NOT NULL,
	file_hash VARCHAR NOT NULL,
	PRIMARY KEY (source)
);
CREATE TABLE vectors (
	vector_id VARCHAR(64) NOT NULL,
	vector BLOB NOT NULL,
	PRIMARY KEY (vector_id)
);
CREATE TABLE chunks (
	chunk_id VARCHAR(32) NOT NULL,
	version_id INTEGER NOT NULL,
	position INTEGER NOT NULL,
	start INTEGER NOT NULL,
	"end" INTEGER NOT NULL,
	sentences JSON NOT NULL,
	vector_id VARCHAR(64) NOT NULL,
	PRIMARY KEY (chunk_id, version_id),
	FOREIGN KEY(version_id) REFERENCES documents (version_id) ON DELETE CASCADE
);
CREATE INDEX ix_chunks_vector_id ON chunks (vector_id);
CREATE INDEX ix_chunks_version_id ON chunks (version_id);
INSERT INTO properties VALUES ('schema', '1'), ('generation', '000007');
INSERT INTO documents (document_id, live, source, title, text, media_type, source_hash, content_hash, pages, indexed_at)
	VALUES ('old.txt', TRUE, 'old.txt', 'Old', 'Older words, kept.', 'text/plain', '', '', '[]', '2026-11-01 12:00:00');
INSERT INTO vectors VALUES ('v', X'0000803F00000000');
INSERT INTO chunks VALUES ('cccccccccccccccccccccccccccccccc', 1, 0, 0, 18, '[[0, 18]]', 'v');
