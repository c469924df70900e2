--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: agent_requests; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.agent_requests (
    id bigint NOT NULL,
    remote_server_id bigint NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL,
    deadline_at timestamp with time zone NOT NULL,
    result jsonb,
    error text,
    created_at timestamp with time zone NOT NULL,
    answered_at timestamp with time zone,
    CONSTRAINT agent_requests_kind_check CHECK ((kind = ANY (ARRAY['destination.check'::text, 'destination.delete'::text]))),
    CONSTRAINT agent_requests_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'answered'::text, 'failed'::text])))
);


--
-- Name: agent_requests_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.agent_requests ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.agent_requests_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: backup_destinations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backup_destinations (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    label text NOT NULL,
    type text NOT NULL,
    local_path text,
    s3_access_key_encrypted text,
    s3_secret_key_encrypted text,
    s3_bucket_name text,
    s3_region text,
    s3_endpoint text,
    path_style_endpoint boolean DEFAULT false NOT NULL,
    sftp_host text,
    sftp_port integer,
    sftp_username text,
    sftp_password_encrypted text,
    sftp_private_key_encrypted text,
    sftp_host_key text,
    sftp_path text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT backup_destinations_sftp_port_check CHECK (((sftp_port >= 1) AND (sftp_port <= 65535))),
    CONSTRAINT backup_destinations_type_check CHECK ((type = ANY (ARRAY['local'::text, 's3'::text, 'custom_s3'::text, 'sftp'::text])))
);


--
-- Name: backup_destinations_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.backup_destinations ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.backup_destinations_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: backup_objects; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backup_objects (
    backup_id bigint NOT NULL,
    ordinal integer NOT NULL,
    role text NOT NULL,
    name text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    database_name text,
    CONSTRAINT backup_objects_role_check CHECK ((role = ANY (ARRAY['archive'::text, 'index'::text, 'manifest'::text])))
);


--
-- Name: backup_task_notification_streams; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backup_task_notification_streams (
    backup_task_id bigint NOT NULL,
    notification_stream_id bigint NOT NULL
);


--
-- Name: backup_task_tags; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backup_task_tags (
    backup_task_id bigint NOT NULL,
    tag_id bigint NOT NULL
);


--
-- Name: backup_tasks; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backup_tasks (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    remote_server_id bigint NOT NULL,
    backup_destination_id bigint NOT NULL,
    label text NOT NULL,
    description text,
    type text NOT NULL,
    source_path text,
    excluded_paths text[] DEFAULT '{}'::text[] NOT NULL,
    allow_unreadable boolean DEFAULT false NOT NULL,
    database_name text,
    database_type text,
    database_host text,
    database_port integer,
    database_username text,
    database_password_encrypted text,
    database_format text DEFAULT 'custom'::text NOT NULL,
    excluded_database_tables text,
    frequency text,
    time_to_run_at text,
    weekday smallint,
    custom_cron_expression text,
    timezone text NOT NULL,
    maximum_backups_to_keep integer DEFAULT 0 NOT NULL,
    appended_file_name text,
    store_path text,
    isolated_username text,
    isolated_password_encrypted text,
    encryption_password_encrypted text,
    run_timeout integer,
    paused_at timestamp with time zone,
    next_run_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT backup_tasks_check CHECK (((type <> 'files'::text) OR (source_path IS NOT NULL))),
    CONSTRAINT backup_tasks_check1 CHECK (((type <> 'database'::text) OR (database_name IS NOT NULL))),
    CONSTRAINT backup_tasks_check2 CHECK (((custom_cron_expression IS NULL) = (frequency IS NOT NULL))),
    CONSTRAINT backup_tasks_check3 CHECK (((frequency IS NULL) = (time_to_run_at IS NULL))),
    CONSTRAINT backup_tasks_check4 CHECK (((NOT (frequency IS DISTINCT FROM 'weekly'::text)) = (weekday IS NOT NULL))),
    CONSTRAINT backup_tasks_database_format_check CHECK ((database_format = ANY (ARRAY['custom'::text, 'plain'::text]))),
    CONSTRAINT backup_tasks_database_port_check CHECK (((database_port >= 1) AND (database_port <= 65535))),
    CONSTRAINT backup_tasks_database_type_check CHECK ((database_type = ANY (ARRAY['postgresql'::text, 'mysql'::text]))),
    CONSTRAINT backup_tasks_frequency_check CHECK ((frequency = ANY (ARRAY['daily'::text, 'weekly'::text]))),
    CONSTRAINT backup_tasks_maximum_backups_to_keep_check CHECK ((maximum_backups_to_keep >= 0)),
    CONSTRAINT backup_tasks_run_timeout_check CHECK ((run_timeout > 0)),
    CONSTRAINT backup_tasks_time_to_run_at_check CHECK ((time_to_run_at ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'::text)),
    CONSTRAINT backup_tasks_type_check CHECK ((type = ANY (ARRAY['files'::text, 'database'::text]))),
    CONSTRAINT backup_tasks_weekday_check CHECK (((weekday >= 0) AND (weekday <= 6)))
);


--
-- Name: backup_tasks_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.backup_tasks ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.backup_tasks_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: backups; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.backups (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    backup_task_id bigint,
    run_id bigint,
    backup_destination_id bigint NOT NULL,
    remote_server_id bigint,
    directory text NOT NULL,
    file_name text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    engine text NOT NULL,
    encrypted boolean NOT NULL,
    encryption_password_encrypted text,
    bytes_read bigint NOT NULL,
    files_count bigint,
    warnings_count integer NOT NULL,
    duration_ms bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    verified_at timestamp with time zone,
    proven_at timestamp with time zone,
    removal_requested_at timestamp with time zone,
    removal_reason text,
    removal_attempts integer DEFAULT 0 NOT NULL,
    removal_error text,
    next_removal_at timestamp with time zone,
    CONSTRAINT backups_check CHECK (((removal_requested_at IS NULL) = (removal_reason IS NULL))),
    CONSTRAINT backups_removal_reason_check CHECK ((removal_reason = ANY (ARRAY['retention'::text, 'request'::text])))
);


--
-- Name: backups_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.backups ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.backups_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: enrolment_tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.enrolment_tokens (
    id bigint NOT NULL,
    remote_server_id bigint NOT NULL,
    token_hash text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: enrolment_tokens_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.enrolment_tokens ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.enrolment_tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: idempotency_keys; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.idempotency_keys (
    token_id bigint NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    status smallint,
    response text,
    is_secret boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: leftovers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.leftovers (
    id bigint NOT NULL,
    run_id bigint,
    backup_destination_id bigint NOT NULL,
    remote_server_id bigint,
    upload_id uuid,
    directory text NOT NULL,
    name text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    error text,
    next_removal_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: leftovers_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.leftovers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.leftovers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: notification_streams; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.notification_streams (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    label text NOT NULL,
    type text NOT NULL,
    value_encrypted text NOT NULL,
    on_success boolean DEFAULT true NOT NULL,
    on_failure boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


--
-- Name: notification_streams_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.notification_streams ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.notification_streams_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: remote_servers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.remote_servers (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    label text NOT NULL,
    ip_address text NOT NULL,
    username text,
    port integer DEFAULT 22 NOT NULL,
    database_password_encrypted text,
    runs_at_once integer DEFAULT 1 NOT NULL,
    agent_key_hash text,
    agent_enrolled_at timestamp with time zone,
    agent_description jsonb,
    agent_protocol integer,
    connection_id uuid,
    connection_replica_id uuid,
    connected_at timestamp with time zone,
    last_connected_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT remote_servers_port_check CHECK (((port >= 1) AND (port <= 65535))),
    CONSTRAINT remote_servers_runs_at_once_check CHECK ((runs_at_once >= 1))
);


--
-- Name: remote_servers_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.remote_servers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.remote_servers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: replicas; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.replicas (
    id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    heartbeat_at timestamp with time zone NOT NULL
);


--
-- Name: run_attempts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.run_attempts (
    run_id bigint NOT NULL,
    attempt integer NOT NULL,
    remote_server_id bigint,
    leased_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    verdict jsonb,
    verdict_at timestamp with time zone,
    verdict_applied boolean
);


--
-- Name: run_output; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.run_output (
    run_id bigint NOT NULL,
    sequence bigint NOT NULL,
    text text NOT NULL,
    sequences bigint[],
    ends integer[]
);


--
-- Name: runs; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.runs (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    kind text NOT NULL,
    backup_task_id bigint,
    remote_server_id bigint,
    backup_destination_id bigint,
    trigger text NOT NULL,
    scheduled_for timestamp with time zone,
    state text NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    deadline_at timestamp with time zone,
    lease_expires_at timestamp with time zone,
    timeout_at timestamp with time zone,
    object_directory text,
    object_prefix text,
    object_stamp text,
    encryption_password_encrypted text,
    reason text,
    warnings_count integer DEFAULT 0 NOT NULL,
    bytes_read bigint DEFAULT 0 NOT NULL,
    bytes_written bigint DEFAULT 0 NOT NULL,
    files_count bigint,
    bytes_per_second double precision,
    eta_seconds double precision,
    last_sequence bigint DEFAULT 0 NOT NULL,
    output_size bigint DEFAULT 0 NOT NULL,
    output_cut bigint DEFAULT 0 NOT NULL,
    output_compacted boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT runs_check CHECK (((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text, 'lost'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT runs_check1 CHECK (((state = ANY (ARRAY['succeeded'::text, 'failed'::text, 'cancelled'::text, 'lost'::text])) = (deadline_at IS NULL))),
    CONSTRAINT runs_check2 CHECK (((state <> 'succeeded'::text) OR (reason IS NULL))),
    CONSTRAINT runs_kind_check CHECK ((kind = ANY (ARRAY['backup'::text, 'restore'::text, 'verify'::text, 'drill'::text, 'delete'::text, 'install'::text]))),
    CONSTRAINT runs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'leased'::text, 'running'::text, 'cancelling'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text, 'lost'::text]))),
    CONSTRAINT runs_trigger_check CHECK ((trigger = ANY (ARRAY['manual'::text, 'schedule'::text])))
);


--
-- Name: runs_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.runs ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.runs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: schema_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);


--
-- Name: skipped_schedules; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.skipped_schedules (
    backup_task_id bigint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    active_run_id bigint,
    created_at timestamp with time zone NOT NULL
);


--
-- Name: ssh_key; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.ssh_key (
    id smallint NOT NULL,
    public_key text NOT NULL,
    private_key_encrypted text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT ssh_key_id_check CHECK ((id = 1))
);


--
-- Name: tags; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tags (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    label text NOT NULL,
    description text,
    colour text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


--
-- Name: tags_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.tags ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tags_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tokens (
    id bigint NOT NULL,
    user_id bigint NOT NULL,
    name text NOT NULL,
    abilities text[] NOT NULL,
    token_hash text NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


--
-- Name: tokens_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.tokens ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: uploads; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.uploads (
    id uuid NOT NULL,
    run_id bigint NOT NULL,
    attempt integer NOT NULL,
    backup_destination_id bigint NOT NULL,
    object_key text NOT NULL,
    s3_upload_id text NOT NULL,
    part_size bigint NOT NULL,
    state text NOT NULL,
    size bigint,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT uploads_state_check CHECK ((state = ANY (ARRAY['open'::text, 'completed'::text, 'removed'::text])))
);


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id bigint NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    timezone text DEFAULT 'UTC'::text NOT NULL,
    language text DEFAULT 'en'::text NOT NULL,
    is_admin boolean DEFAULT false NOT NULL,
    weekly_summary_enabled boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.users ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Data for Name: agent_requests; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.agent_requests (id, remote_server_id, kind, payload, state, deadline_at, result, error, created_at, answered_at) FROM stdin;
\.


--
-- Data for Name: backup_destinations; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.backup_destinations (id, user_id, label, type, local_path, s3_access_key_encrypted, s3_secret_key_encrypted, s3_bucket_name, s3_region, s3_endpoint, path_style_endpoint, sftp_host, sftp_port, sftp_username, sftp_password_encrypted, sftp_private_key_encrypted, sftp_host_key, sftp_path, created_at, updated_at) FROM stdin;
1	1	local	local	@ROOT@/local	\N	\N	\N	\N	\N	f	\N	\N	\N	\N	\N	\N	\N	2026-11-29 23:00:23.642+00	2026-11-29 23:00:23.642+00
2	1	custom_s3	custom_s3	\N	v1:0f8bea05:2+EluVsp8n6E1KKIe7bsZapaePLnuIJQHuMq0MLgvBS8pFxwgOHDswpw	v1:0f8bea05:YiJb6SiEdiDRgEXwtQFuCwY6CCGRxil5P2JyEpXqpTkjhzP0f298Rn0FBSBh0MQNPl+yB9Hq6iM=	backups	\N	http://127.0.0.1:41739	t	\N	\N	\N	\N	\N	\N	\N	2026-11-29 23:00:33.249+00	2026-11-29 23:00:33.249+00
3	1	sftp	sftp	\N	\N	\N	\N	\N	\N	f	127.0.0.1	39787	rg-test-42431262	\N	v1:0f8bea05:Vl8hq3T59MCBH6/oIIjNsTxSn3Qn/uZnVdGjQsxX0K/ben2ewuD5HcaT1Bnqn3LvmKeA66ZidWbgQEUSWum/7iDDp5g/lpqSfALK9oMvRSjMmEkqgVxtyqdD5MgWGOm056n8UfOt7ka1Gq3pTxe7aT3pRJZGwErNxPIdslhPlyrmWo/O+aM3EsI+UHAGoNpKOrdhrs4Rkit/GtWdpmjt3bAJIUrzontLK+oja259ut8CX4nuWbPeTvhv8+scwmJ8YyXMcpk97fyyRp0k74TlFPYkAmF3Ng3UP+2r2cw+2NLoTPcbcTvGtlyKkH8eJW87Q5GxqLjl5rhNkHPaEEiUhl+cO8L9aJ3onHvk8RdCJiZyfI1Rl5k6vEE4rGu1A+llCukir3SAprCxM9pCpPQ4XKwnEOomME4reYDgRFrUT3VbQ/Do3JCFIZXzRVamMD88FZjx/DU/+d4U+Ciq2hmmF4xubqNRcVPdWqVYl092SeZpyfehDnj6RnE3kXns2Gpv0nf+TxuF9r7YrSUW2MmIcceItrORdQet975S5944	SHA256:RyPav56xnv8afiosJIn1+JfILBZNSiNTMULI5X4eZ/g	@SFTP@	2026-11-29 23:00:39.471+00	2026-11-29 23:00:39.471+00
\.


--
-- Data for Name: backup_objects; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.backup_objects (backup_id, ordinal, role, name, size, sha256, database_name) FROM stdin;
1	0	archive	backup_1_20261129230023.tar.zst	460	da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207	\N
1	1	index	backup_1_20261129230023.index.zst	238	d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe	\N
1	2	manifest	backup_1_20261129230023.manifest.json	1229	44188a539ed6bcb79f149b445e9ef2ec47d388fe9f2cae229837fdfdc318f1e9	\N
2	0	archive	backup_2_20261129230024.tar.zst.age	642	15869c545a45cc63332426339acefe505ddfb07e8a32c08c45e07235cb0d3dec	\N
2	1	index	backup_2_20261129230024.index.zst.age	420	63f25722f17fc5485d88aa9e29df3769cc8d65cad277783c8ba7c01d40a3c7af	\N
2	2	manifest	backup_2_20261129230024.manifest.json	1289	27e7024a9f318d5022c07bb06392d4b6d3c7003ae345baac6a295c669404e269	\N
3	0	archive	backup_3_shop_20261129230028.sql.zst	1193	5b64c0ced04c45e9544233da9351726d4c83f1952677cd2084f628f6ccf0e091	shop
3	1	manifest	backup_3_20261129230028.manifest.json	1175	5052f9dd8e761f9961bacf3b1697db62abefd23341c7a832f9cf1ca1246bad94	\N
4	0	archive	backup_4_shop_20261129230028.dump.zst.age	1447	bc9ce94a764b00b9e8a444fbac9ac20d4fb1823abee71ab3bbf2deeceb554f76	shop
4	1	manifest	backup_4_20261129230028.manifest.json	1226	c5261b444935d3ee0a6714260636a0d9f2430e8e4e380265b2c76d67da2898b1	\N
5	0	archive	backup_5_shop_20261129230030.sql.zst	1558	d7374b153145fc9b9cc6a5f1ee5ef0b741f7c4a0126485a17a9022b37bb52444	shop
5	1	manifest	backup_5_20261129230030.manifest.json	1119	02813dd885ad70ae4271f1205503e9eba03a22a9fd634f062e46f68bb4f7e47e	\N
6	0	archive	backup_6_shop_20261129230031.sql.zst.age	1740	5eab14e8aaf075970c17e9548745d3217f1cae403ba6e75e1167a91303e59d08	shop
6	1	manifest	backup_6_20261129230031.manifest.json	1175	6c83eb340b90e7947ea70bdf345722770cc9ddd7753d59f502a63103dd580187	\N
7	0	archive	backup_7_20261129230033.tar.zst	460	da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207	\N
7	1	index	backup_7_20261129230033.index.zst	238	d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe	\N
7	2	manifest	backup_7_20261129230033.manifest.json	1233	adf3e54ca07dd6bb0127ed9bebd1b9a33e110c2dee6018909ef05338bc8a7eb1	\N
8	0	archive	backup_8_20261129230033.tar.zst.age	642	32e0d03ee80b4bfa46c026d9a5e8f222051f6c724ac361dda587e7437fd23d3d	\N
8	1	index	backup_8_20261129230033.index.zst.age	420	7ea53454262362ecb334a811dce5e246216c0b8b81a6601addae6dbe050191ca	\N
8	2	manifest	backup_8_20261129230033.manifest.json	1293	c2f476834cf4845606ebbacda893407186bbce7157d4509a128d5e986288ec9b	\N
9	0	archive	backup_9_shop_20261129230036.sql.zst	1196	e482d84b70e20a0d883577c61cc969d0d23da4457c2d36c26d4d5e8891d5b407	shop
9	1	manifest	backup_9_20261129230036.manifest.json	1179	969a86603abdb14d0dbaed33375e3fe56a77be6932cb270ac19ed9b2a5604849	\N
10	0	archive	backup_10_shop_20261129230036.dump.zst.age	1449	d5cd944c54d30de2bb810d3a6247106b2b9840f924483056596dc71284bed632	shop
10	1	manifest	backup_10_20261129230036.manifest.json	1233	2b28199b45d0950c3262d6fb2d7b07a4d555efab373d2702d470462f3de97493	\N
11	0	archive	backup_11_shop_20261129230038.sql.zst	1558	1ddebf12811740d9d8ba2088dc8942bfbf5b84767307638b952effea89c2fda1	shop
11	1	manifest	backup_11_20261129230038.manifest.json	1126	a820cb02c528955ce40a0ba5206ab747eb7a772db83fbe0e2d4bf224be3cc091	\N
12	0	archive	backup_12_shop_20261129230038.sql.zst.age	1740	6f47a41088a81d1c4ac1b1e8af64c768be5a1a5db93cfe272e46dc42d9f7fac5	shop
12	1	manifest	backup_12_20261129230038.manifest.json	1182	f9c47f634d41810fcfe8797564a840a2434cbabf52a8a98d93b3a505864bfc6f	\N
13	0	archive	backup_13_20261129230039.tar.zst	460	da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207	\N
13	1	index	backup_13_20261129230039.index.zst	238	d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe	\N
13	2	manifest	backup_13_20261129230039.manifest.json	1232	1ca3e27390612cebdba0a0e75c77cf20f556126a81814763cca1e032e64d0d88	\N
14	0	archive	backup_14_20261129230041.tar.zst.age	642	4eb3270f83de9365472a5e2effe628f06774e1ee392ae2df4a73765215f3a2a7	\N
14	1	index	backup_14_20261129230041.index.zst.age	420	7e69b8e183061ac62c56555ff7d01423cf170b1c57ac35db55cfed4c6456ba1c	\N
14	2	manifest	backup_14_20261129230041.manifest.json	1292	66eda261127f74c9814a303025feeb0522282d38b357a2e064095d121bf69a10	\N
15	0	archive	backup_15_shop_20261129230046.sql.zst	1194	cb99da020b075ddc8bb76b98cbb6376831139c8bc1a4ee2b33794c477ab46e22	shop
15	1	manifest	backup_15_20261129230046.manifest.json	1177	18cf0487736326aadfee8ca720989f5ae4ba5fca18afc7dfd9381d7d58ed2b5c	\N
16	0	archive	backup_16_shop_20261129230048.dump.zst.age	1449	4edfc10c0f2ea440bdceb505c499c9e98f35fbcea2a636b979ce73504d7129ee	shop
16	1	manifest	backup_16_20261129230048.manifest.json	1228	7240b473d2208978468ca512d2fcf132194a4f642b4089912a5e7f5b034fc21a	\N
17	0	archive	backup_17_shop_20261129230051.sql.zst	1558	cf22fae5e97e4bd5587fc4c31db24374ea46635f9b12fb1910663bcfaa7d1164	shop
17	1	manifest	backup_17_20261129230051.manifest.json	1121	ccbee645e432303ef743dad0522d4791d4e43ec5990f14c26ba21a1f987cba30	\N
18	0	archive	backup_18_shop_20261129230053.sql.zst.age	1740	069fb1012f0274b927c4da6db7da22057694da78efea12478954e0026a81ad05	shop
18	1	manifest	backup_18_20261129230053.manifest.json	1177	5c67a837d5893e3287c9b4d75ce3a342cd3ffb701906f8c01652c01a7fb499b4	\N
\.


--
-- Data for Name: backup_task_notification_streams; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.backup_task_notification_streams (backup_task_id, notification_stream_id) FROM stdin;
\.


--
-- Data for Name: backup_task_tags; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.backup_task_tags (backup_task_id, tag_id) FROM stdin;
\.


--
-- Data for Name: backup_tasks; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.backup_tasks (id, user_id, remote_server_id, backup_destination_id, label, description, type, source_path, excluded_paths, allow_unreadable, database_name, database_type, database_host, database_port, database_username, database_password_encrypted, database_format, excluded_database_tables, frequency, time_to_run_at, weekday, custom_cron_expression, timezone, maximum_backups_to_keep, appended_file_name, store_path, isolated_username, isolated_password_encrypted, encryption_password_encrypted, run_timeout, paused_at, next_run_at, created_at, updated_at) FROM stdin;
1	1	1	1	files to local	\N	files	@ROOT@/source	{}	f	\N	\N	\N	\N	\N	\N	custom	\N	daily	01:00	\N	\N	UTC	5	\N	files/plain	\N	\N	\N	\N	2026-11-29 23:00:23.967+00	2026-11-30 01:00:00+00	2026-11-29 23:00:23.666+00	2026-11-29 23:00:23.967+00
2	1	1	1	files to local, encrypted	\N	files	@ROOT@/source	{}	f	\N	\N	\N	\N	\N	\N	custom	\N	daily	01:00	\N	\N	UTC	5	\N	files/encrypted	\N	\N	v1:0f8bea05:oJwZ1L7FAAMWyilF4f2WukOdanqMY9j+8O+2L2LNf3J08x3iphED7uvTNOAdNM5ITVJmWiVg	\N	2026-11-29 23:00:28.07+00	2026-11-30 01:00:00+00	2026-11-29 23:00:23.981+00	2026-11-29 23:00:28.07+00
3	1	1	1	postgresql to local	\N	database	\N	{}	f	shop	postgresql	127.0.0.1	35417	postgres	v1:0f8bea05:41Km0T7LmNjpRm9wxXyaGSM4/P41+s9vDqpv6NMeY6P+Oq4/jOrpAJcfVpCP+avM1vqnP7i5gI7b60I=	plain	\N	daily	01:00	\N	\N	UTC	5	\N	postgresql/plain	\N	\N	\N	\N	2026-11-29 23:00:28.658+00	2026-11-30 01:00:00+00	2026-11-29 23:00:28.09+00	2026-11-29 23:00:28.658+00
4	1	1	1	postgresql to local, encrypted	\N	database	\N	{}	f	shop	postgresql	127.0.0.1	35417	postgres	v1:0f8bea05:8rX2QST/pECnlEgTASXz4MX7KNYYIj5rMuJaELFOtEH9rfWF5x4SNSzpYkSTveBxMpF9MI3y/LW9z68=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	postgresql/encrypted	\N	\N	v1:0f8bea05:tQ6qu5K3SBIFl8c7B7oaPUtTQmo46WLYFUWhp58fwAbH0DgBUdoG6hUl8ALam+oLHMLXc+ji	\N	2026-11-29 23:00:30.604+00	2026-11-30 01:00:00+00	2026-11-29 23:00:28.668+00	2026-11-29 23:00:30.604+00
5	1	1	1	mysql to local	\N	database	\N	{}	f	shop	mysql	127.0.0.1	35331	backup	v1:0f8bea05:Xl8zONAdhw9/p8hiuK038E9cPLG0t0LaVE5gOpzUL5aT5rpynUTSnC596fXLejQ9jLiSSEfbft8JLcdi9y1Cu90=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	mysql/plain	\N	\N	\N	\N	2026-11-29 23:00:31.07+00	2026-11-30 01:00:00+00	2026-11-29 23:00:30.621+00	2026-11-29 23:00:31.07+00
6	1	1	1	mysql to local, encrypted	\N	database	\N	{}	f	shop	mysql	127.0.0.1	35331	backup	v1:0f8bea05:syojK8BzxQh4D0NsllbrBOPdujE2lhE/rSjXf4bRHalj7owxt23n4LVDOh1ZNy2RXMXpvwbnfm5tFpLioGpvjZo=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	mysql/encrypted	\N	\N	v1:0f8bea05:NxD6uEOk8tC80a22R9mlnhfeM0+KSmsVb3jorDKbmMP9HEJcc2NnGQ3L6QkdvzdyJsSn1upk	\N	2026-11-29 23:00:33.236+00	2026-11-30 01:00:00+00	2026-11-29 23:00:31.076+00	2026-11-29 23:00:33.236+00
7	1	1	2	files to custom_s3	\N	files	@ROOT@/source	{}	f	\N	\N	\N	\N	\N	\N	custom	\N	daily	01:00	\N	\N	UTC	5	\N	files/plain	\N	\N	\N	\N	2026-11-29 23:00:33.648+00	2026-11-30 01:00:00+00	2026-11-29 23:00:33.261+00	2026-11-29 23:00:33.648+00
8	1	1	2	files to custom_s3, encrypted	\N	files	@ROOT@/source	{}	f	\N	\N	\N	\N	\N	\N	custom	\N	daily	01:00	\N	\N	UTC	5	\N	files/encrypted	\N	\N	v1:0f8bea05:0zU4TbKxpASIPLNAhrDaSHzbB4DwJgA5UgWGwoSnQqbhCIZa9WReMMl0Z7wAMAg+oKFUkl8L	\N	2026-11-29 23:00:36.246+00	2026-11-30 01:00:00+00	2026-11-29 23:00:33.652+00	2026-11-29 23:00:36.246+00
9	1	1	2	postgresql to custom_s3	\N	database	\N	{}	f	shop	postgresql	127.0.0.1	35417	postgres	v1:0f8bea05:LkWM9Kq7Upji96Y4fta8MSUamwXPrSaH+I6DELtXNcqb1Ug5DdqgPVdkFB8ksK0gVkayke8yiS+kLI0=	plain	\N	daily	01:00	\N	\N	UTC	5	\N	postgresql/plain	\N	\N	\N	\N	2026-11-29 23:00:36.597+00	2026-11-30 01:00:00+00	2026-11-29 23:00:36.25+00	2026-11-29 23:00:36.597+00
10	1	1	2	postgresql to custom_s3, encrypted	\N	database	\N	{}	f	shop	postgresql	127.0.0.1	35417	postgres	v1:0f8bea05:YSoD6REXURHQRkb3HdEb2/XY3OkKkLHsUT9VUhEGIcoqTtcZHaPCBKWhZDC+rqolm+v1AoFpC5LjLbU=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	postgresql/encrypted	\N	\N	v1:0f8bea05:wByh5Mhhb5lJWHXa4HAmIWkD9coA10B1xxVp2qJltAih9+59EHB3KLee8+jel615Mudt1MoN	\N	2026-11-29 23:00:37.998+00	2026-11-30 01:00:00+00	2026-11-29 23:00:36.601+00	2026-11-29 23:00:37.998+00
11	1	1	2	mysql to custom_s3	\N	database	\N	{}	f	shop	mysql	127.0.0.1	35331	backup	v1:0f8bea05:urIppDJpu3x8IFW+ke+YKLUzNfMb6pbBRwSnDQ2zPQYPadxthiobyxgjC4dI0xiv5uC6XbtNvkx52Yf2/tZtuAc=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	mysql/plain	\N	\N	\N	\N	2026-11-29 23:00:38.277+00	2026-11-30 01:00:00+00	2026-11-29 23:00:38.002+00	2026-11-29 23:00:38.277+00
12	1	1	2	mysql to custom_s3, encrypted	\N	database	\N	{}	f	shop	mysql	127.0.0.1	35331	backup	v1:0f8bea05:sR0LwoaJKBOrx/8E4gIz549jJvBV0+pLJ0/HP5CoZc31/u/EKmyPyA73SKxRJGN20ExflP7FLG3rAygEAUs5G4E=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	mysql/encrypted	\N	\N	v1:0f8bea05:krDPfXu8Aa2JGw3KWAxMX7NUaYL1U44qLUPf3LbzLsLPAVG+fZxD5YZWOy7SpmA+y0L7wSPM	\N	2026-11-29 23:00:39.464+00	2026-11-30 01:00:00+00	2026-11-29 23:00:38.28+00	2026-11-29 23:00:39.464+00
13	1	1	3	files to sftp	\N	files	@ROOT@/source	{}	f	\N	\N	\N	\N	\N	\N	custom	\N	daily	01:00	\N	\N	UTC	5	\N	files/plain	\N	\N	\N	\N	2026-11-29 23:00:41.751+00	2026-11-30 01:00:00+00	2026-11-29 23:00:39.475+00	2026-11-29 23:00:41.751+00
14	1	1	3	files to sftp, encrypted	\N	files	@ROOT@/source	{}	f	\N	\N	\N	\N	\N	\N	custom	\N	daily	01:00	\N	\N	UTC	5	\N	files/encrypted	\N	\N	v1:0f8bea05:+G2lt2weklxQwccuLWEQUKTYe70a6ogmIh6gzEUocInJVpgF/clH87jF0JL31UXEWL+sWg5u	\N	2026-11-29 23:00:46.286+00	2026-11-30 01:00:00+00	2026-11-29 23:00:41.755+00	2026-11-29 23:00:46.286+00
15	1	1	3	postgresql to sftp	\N	database	\N	{}	f	shop	postgresql	127.0.0.1	35417	postgres	v1:0f8bea05:bxmaV1efbwn4GjplbJJxkvW9oz7ELXKlFTKzRjBANCkI42TPrXioezP6FaXvZ9p+q39XJjza5AOr8uw=	plain	\N	daily	01:00	\N	\N	UTC	5	\N	postgresql/plain	\N	\N	\N	\N	2026-11-29 23:00:48.255+00	2026-11-30 01:00:00+00	2026-11-29 23:00:46.297+00	2026-11-29 23:00:48.255+00
16	1	1	3	postgresql to sftp, encrypted	\N	database	\N	{}	f	shop	postgresql	127.0.0.1	35417	postgres	v1:0f8bea05:Jcp/LIIjeZ6EMDI7rgiFbaznDA/Sii8ToyBAqMWwn/K3THw9QHvawT9OeUVywBSXNtgbSFE7aYyaQbA=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	postgresql/encrypted	\N	\N	v1:0f8bea05:M3vV+iDtLf/OrSpVNc8EoC1QmHveSY9+GrLDWm6gYcXlRkWEV1VVHBB1Z56GZSpOzrezNxsm	\N	2026-11-29 23:00:51.452+00	2026-11-30 01:00:00+00	2026-11-29 23:00:48.259+00	2026-11-29 23:00:51.452+00
17	1	1	3	mysql to sftp	\N	database	\N	{}	f	shop	mysql	127.0.0.1	35331	backup	v1:0f8bea05:ZzwziSOtiblKRf+lipDVATxV7e868XyJAUO2I6Nur6b3W6NwQpzSMBFkC+d3zgJaWGQjN6WuPlG6D8Z2Eu/N/Ps=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	mysql/plain	\N	\N	\N	\N	2026-11-29 23:00:53.301+00	2026-11-30 01:00:00+00	2026-11-29 23:00:51.462+00	2026-11-29 23:00:53.301+00
18	1	1	3	mysql to sftp, encrypted	\N	database	\N	{}	f	shop	mysql	127.0.0.1	35331	backup	v1:0f8bea05:NLR/QkQVtpg7SLTXmUbkKdNwVg3I/MCIm69Rl4bWhaT+mzwIDCeZir/8zKaNojgczj7Sv9u2Q2+UrjnLV88yU0s=	custom	\N	daily	01:00	\N	\N	UTC	5	\N	mysql/encrypted	\N	\N	v1:0f8bea05:DL0TqvVO0rKcMjMjnX7v8OibaAifXnTilKhC7F6AdmU9vIiTUyxgWMNm9iVat4SYySd3M5DZ	\N	2026-11-29 23:00:57.061+00	2026-11-30 01:00:00+00	2026-11-29 23:00:53.318+00	2026-11-29 23:00:57.061+00
\.


--
-- Data for Name: backups; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.backups (id, user_id, backup_task_id, run_id, backup_destination_id, remote_server_id, directory, file_name, size, sha256, engine, encrypted, encryption_password_encrypted, bytes_read, files_count, warnings_count, duration_ms, created_at, verified_at, proven_at, removal_requested_at, removal_reason, removal_attempts, removal_error, next_removal_at) FROM stdin;
1	1	1	1	1	1	@ROOT@/local/files/plain	backup_1_20261129230023.tar.zst	460	da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207	tar	f	\N	65536	7	0	105	2026-11-29 23:00:23.942+00	\N	\N	\N	\N	0	\N	\N
2	1	2	2	1	1	@ROOT@/local/files/encrypted	backup_2_20261129230024.tar.zst.age	642	15869c545a45cc63332426339acefe505ddfb07e8a32c08c45e07235cb0d3dec	tar	t	v1:0f8bea05:oJwZ1L7FAAMWyilF4f2WukOdanqMY9j+8O+2L2LNf3J08x3iphED7uvTNOAdNM5ITVJmWiVg	65536	7	0	3916	2026-11-29 23:00:28.018+00	\N	\N	\N	\N	0	\N	\N
3	1	3	3	1	1	@ROOT@/local/postgresql/plain	backup_3_shop_20261129230028.sql.zst	1193	5b64c0ced04c45e9544233da9351726d4c83f1952677cd2084f628f6ccf0e091	pg_dump	f	\N	2753	\N	0	440	2026-11-29 23:00:28.625+00	\N	\N	\N	\N	0	\N	\N
4	1	4	4	1	1	@ROOT@/local/postgresql/encrypted	backup_4_shop_20261129230028.dump.zst.age	1447	bc9ce94a764b00b9e8a444fbac9ac20d4fb1823abee71ab3bbf2deeceb554f76	pg_dump	t	v1:0f8bea05:tQ6qu5K3SBIFl8c7B7oaPUtTQmo46WLYFUWhp58fwAbH0DgBUdoG6hUl8ALam+oLHMLXc+ji	3118	\N	0	1851	2026-11-29 23:00:30.575+00	\N	\N	\N	\N	0	\N	\N
5	1	5	5	1	1	@ROOT@/local/mysql/plain	backup_5_shop_20261129230030.sql.zst	1558	d7374b153145fc9b9cc6a5f1ee5ef0b741f7c4a0126485a17a9022b37bb52444	mysqldump	f	\N	5311	\N	0	368	2026-11-29 23:00:31.052+00	\N	\N	\N	\N	0	\N	\N
6	1	6	6	1	1	@ROOT@/local/mysql/encrypted	backup_6_shop_20261129230031.sql.zst.age	1740	5eab14e8aaf075970c17e9548745d3217f1cae403ba6e75e1167a91303e59d08	mysqldump	t	v1:0f8bea05:NxD6uEOk8tC80a22R9mlnhfeM0+KSmsVb3jorDKbmMP9HEJcc2NnGQ3L6QkdvzdyJsSn1upk	5311	\N	0	2076	2026-11-29 23:00:33.224+00	\N	\N	\N	\N	0	\N	\N
7	1	7	7	2	1	files/plain	backup_7_20261129230033.tar.zst	460	da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207	tar	f	\N	65536	7	0	328	2026-11-29 23:00:33.625+00	\N	\N	\N	\N	0	\N	\N
8	1	8	8	2	1	files/encrypted	backup_8_20261129230033.tar.zst.age	642	32e0d03ee80b4bfa46c026d9a5e8f222051f6c724ac361dda587e7437fd23d3d	tar	t	v1:0f8bea05:0zU4TbKxpASIPLNAhrDaSHzbB4DwJgA5UgWGwoSnQqbhCIZa9WReMMl0Z7wAMAg+oKFUkl8L	65536	7	0	2560	2026-11-29 23:00:36.239+00	\N	\N	\N	\N	0	\N	\N
9	1	9	9	2	1	postgresql/plain	backup_9_shop_20261129230036.sql.zst	1196	e482d84b70e20a0d883577c61cc969d0d23da4457c2d36c26d4d5e8891d5b407	pg_dump	f	\N	2753	\N	0	304	2026-11-29 23:00:36.583+00	\N	\N	\N	\N	0	\N	\N
10	1	10	10	2	1	postgresql/encrypted	backup_10_shop_20261129230036.dump.zst.age	1449	d5cd944c54d30de2bb810d3a6247106b2b9840f924483056596dc71284bed632	pg_dump	t	v1:0f8bea05:wByh5Mhhb5lJWHXa4HAmIWkD9coA10B1xxVp2qJltAih9+59EHB3KLee8+jel615Mudt1MoN	3118	\N	0	1358	2026-11-29 23:00:37.99+00	\N	\N	\N	\N	0	\N	\N
11	1	11	11	2	1	mysql/plain	backup_11_shop_20261129230038.sql.zst	1558	1ddebf12811740d9d8ba2088dc8942bfbf5b84767307638b952effea89c2fda1	mysqldump	f	\N	5311	\N	0	239	2026-11-29 23:00:38.27+00	\N	\N	\N	\N	0	\N	\N
12	1	12	12	2	1	mysql/encrypted	backup_12_shop_20261129230038.sql.zst.age	1740	6f47a41088a81d1c4ac1b1e8af64c768be5a1a5db93cfe272e46dc42d9f7fac5	mysqldump	t	v1:0f8bea05:krDPfXu8Aa2JGw3KWAxMX7NUaYL1U44qLUPf3LbzLsLPAVG+fZxD5YZWOy7SpmA+y0L7wSPM	5311	\N	0	1152	2026-11-29 23:00:39.455+00	\N	\N	\N	\N	0	\N	\N
13	1	13	13	3	1	@SFTP@/files/plain	backup_13_20261129230039.tar.zst	460	da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207	tar	f	\N	65536	7	0	1762	2026-11-29 23:00:41.74+00	\N	\N	\N	\N	0	\N	\N
14	1	14	14	3	1	@SFTP@/files/encrypted	backup_14_20261129230041.tar.zst.age	642	4eb3270f83de9365472a5e2effe628f06774e1ee392ae2df4a73765215f3a2a7	tar	t	v1:0f8bea05:+G2lt2weklxQwccuLWEQUKTYe70a6ogmIh6gzEUocInJVpgF/clH87jF0JL31UXEWL+sWg5u	65536	7	0	4120	2026-11-29 23:00:46.275+00	\N	\N	\N	\N	0	\N	\N
15	1	15	15	3	1	@SFTP@/postgresql/plain	backup_15_shop_20261129230046.sql.zst	1194	cb99da020b075ddc8bb76b98cbb6376831139c8bc1a4ee2b33794c477ab46e22	pg_dump	f	\N	2753	\N	0	1472	2026-11-29 23:00:48.233+00	\N	\N	\N	\N	0	\N	\N
16	1	16	16	3	1	@SFTP@/postgresql/encrypted	backup_16_shop_20261129230048.dump.zst.age	1449	4edfc10c0f2ea440bdceb505c499c9e98f35fbcea2a636b979ce73504d7129ee	pg_dump	t	v1:0f8bea05:M3vV+iDtLf/OrSpVNc8EoC1QmHveSY9+GrLDWm6gYcXlRkWEV1VVHBB1Z56GZSpOzrezNxsm	3118	\N	0	2784	2026-11-29 23:00:51.435+00	\N	\N	\N	\N	0	\N	\N
17	1	17	17	3	1	@SFTP@/mysql/plain	backup_17_shop_20261129230051.sql.zst	1558	cf22fae5e97e4bd5587fc4c31db24374ea46635f9b12fb1910663bcfaa7d1164	mysqldump	f	\N	5311	\N	0	1388	2026-11-29 23:00:53.265+00	\N	\N	\N	\N	0	\N	\N
18	1	18	18	3	1	@SFTP@/mysql/encrypted	backup_18_shop_20261129230053.sql.zst.age	1740	069fb1012f0274b927c4da6db7da22057694da78efea12478954e0026a81ad05	mysqldump	t	v1:0f8bea05:DL0TqvVO0rKcMjMjnX7v8OibaAifXnTilKhC7F6AdmU9vIiTUyxgWMNm9iVat4SYySd3M5DZ	5311	\N	0	3256	2026-11-29 23:00:57.039+00	\N	\N	\N	\N	0	\N	\N
\.


--
-- Data for Name: enrolment_tokens; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.enrolment_tokens (id, remote_server_id, token_hash, expires_at, used_at, created_at) FROM stdin;
1	1	acd91b4bfb620a9003054aa5d7d33c95abab249eb22bb3a5e6e68cf759a476f6	2026-11-29 23:15:23.05+00	2026-11-29 23:00:23.536+00	2026-11-29 23:00:23.05+00
\.


--
-- Data for Name: idempotency_keys; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.idempotency_keys (token_id, key, request_hash, status, response, is_secret, created_at) FROM stdin;
\.


--
-- Data for Name: leftovers; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.leftovers (id, run_id, backup_destination_id, remote_server_id, upload_id, directory, name, attempts, error, next_removal_at, created_at) FROM stdin;
\.


--
-- Data for Name: notification_streams; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.notification_streams (id, user_id, label, type, value_encrypted, on_success, on_failure, created_at, updated_at) FROM stdin;
1	1	ops	email	v1:0f8bea05:vQOwB0PL0VU1yJFVdZ9j5cs8w7euZgr5LHLn/YqLoUg1KkBVFFV1FWn+Ow==	t	t	2026-11-29 23:00:57.082+00	2026-11-29 23:00:57.082+00
\.


--
-- Data for Name: remote_servers; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.remote_servers (id, user_id, label, ip_address, username, port, database_password_encrypted, runs_at_once, agent_key_hash, agent_enrolled_at, agent_description, agent_protocol, connection_id, connection_replica_id, connected_at, last_connected_at, created_at, updated_at) FROM stdin;
1	1	oldhost	127.0.0.1	\N	22	\N	1	ab954b7d89da723aac18dcc170bac4f3e856b6fbe25140f65ef96cda0beab2ff	2026-11-29 23:00:23.536+00	{"os": "linux", "arch": "x64", "tools": {"tar": "1.34", "zstd": "1.5.4", "pzstd": "1.5.4", "pg_dump": "15.18", "mysqldump": "10.11.19-MariaDB", "mariadb-dump": "10.11.19-MariaDB"}, "version": "0.1.0", "hostname": "oldhost"}	1	\N	\N	2026-11-29 23:00:23.58+00	2026-11-29 23:00:57.095+00	2026-11-29 23:00:23.046+00	2026-11-29 23:00:23.536+00
\.


--
-- Data for Name: replicas; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.replicas (id, started_at, heartbeat_at) FROM stdin;
\.


--
-- Data for Name: run_attempts; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.run_attempts (run_id, attempt, remote_server_id, leased_at, accepted_at, verdict, verdict_at, verdict_applied) FROM stdin;
1	1	1	2026-11-29 23:00:23.779+00	2026-11-29 23:00:23.816+00	{"backup": {"size": 460, "tools": {"tar": "1.34", "zstd": "1.5.4", "pzstd": "1.5.4"}, "engine": "tar", "objects": [{"name": "backup_1_20261129230023.tar.zst", "role": "archive", "size": 460, "sha256": "da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207", "database": null}, {"name": "backup_1_20261129230023.index.zst", "role": "index", "size": 238, "sha256": "d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe", "database": null}, {"name": "backup_1_20261129230023.manifest.json", "role": "manifest", "size": 1229, "sha256": "44188a539ed6bcb79f149b445e9ef2ec47d388fe9f2cae229837fdfdc318f1e9", "database": null}], "encrypted": false, "bytes_read": 65536, "duration_ms": 105, "files_count": 7}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:23.939+00	t
9	1	1	2026-11-29 23:00:36.265+00	2026-11-29 23:00:36.275+00	{"backup": {"size": 1196, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "pg_dump": "15.18"}, "engine": "pg_dump", "objects": [{"name": "backup_9_shop_20261129230036.sql.zst", "role": "archive", "size": 1196, "sha256": "e482d84b70e20a0d883577c61cc969d0d23da4457c2d36c26d4d5e8891d5b407", "database": "shop"}, {"name": "backup_9_20261129230036.manifest.json", "role": "manifest", "size": 1179, "sha256": "969a86603abdb14d0dbaed33375e3fe56a77be6932cb270ac19ed9b2a5604849", "database": null}], "encrypted": false, "bytes_read": 2753, "duration_ms": 304, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:36.582+00	t
2	1	1	2026-11-29 23:00:24.028+00	2026-11-29 23:00:24.038+00	{"backup": {"size": 642, "tools": {"tar": "1.34", "zstd": "1.5.4", "pzstd": "1.5.4"}, "engine": "tar", "objects": [{"name": "backup_2_20261129230024.tar.zst.age", "role": "archive", "size": 642, "sha256": "15869c545a45cc63332426339acefe505ddfb07e8a32c08c45e07235cb0d3dec", "database": null}, {"name": "backup_2_20261129230024.index.zst.age", "role": "index", "size": 420, "sha256": "63f25722f17fc5485d88aa9e29df3769cc8d65cad277783c8ba7c01d40a3c7af", "database": null}, {"name": "backup_2_20261129230024.manifest.json", "role": "manifest", "size": 1289, "sha256": "27e7024a9f318d5022c07bb06392d4b6d3c7003ae345baac6a295c669404e269", "database": null}], "encrypted": true, "bytes_read": 65536, "duration_ms": 3916, "files_count": 7}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:28.011+00	t
3	1	1	2026-11-29 23:00:28.129+00	2026-11-29 23:00:28.144+00	{"backup": {"size": 1193, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "pg_dump": "15.18"}, "engine": "pg_dump", "objects": [{"name": "backup_3_shop_20261129230028.sql.zst", "role": "archive", "size": 1193, "sha256": "5b64c0ced04c45e9544233da9351726d4c83f1952677cd2084f628f6ccf0e091", "database": "shop"}, {"name": "backup_3_20261129230028.manifest.json", "role": "manifest", "size": 1175, "sha256": "5052f9dd8e761f9961bacf3b1697db62abefd23341c7a832f9cf1ca1246bad94", "database": null}], "encrypted": false, "bytes_read": 2753, "duration_ms": 440, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:28.623+00	t
4	1	1	2026-11-29 23:00:28.697+00	2026-11-29 23:00:28.714+00	{"backup": {"size": 1447, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "pg_dump": "15.18"}, "engine": "pg_dump", "objects": [{"name": "backup_4_shop_20261129230028.dump.zst.age", "role": "archive", "size": 1447, "sha256": "bc9ce94a764b00b9e8a444fbac9ac20d4fb1823abee71ab3bbf2deeceb554f76", "database": "shop"}, {"name": "backup_4_20261129230028.manifest.json", "role": "manifest", "size": 1226, "sha256": "c5261b444935d3ee0a6714260636a0d9f2430e8e4e380265b2c76d67da2898b1", "database": null}], "encrypted": true, "bytes_read": 3118, "duration_ms": 1851, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:30.572+00	t
5	1	1	2026-11-29 23:00:30.652+00	2026-11-29 23:00:30.667+00	{"backup": {"size": 1558, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "mariadb-dump": "10.11.19-MariaDB"}, "engine": "mysqldump", "objects": [{"name": "backup_5_shop_20261129230030.sql.zst", "role": "archive", "size": 1558, "sha256": "d7374b153145fc9b9cc6a5f1ee5ef0b741f7c4a0126485a17a9022b37bb52444", "database": "shop"}, {"name": "backup_5_20261129230030.manifest.json", "role": "manifest", "size": 1119, "sha256": "02813dd885ad70ae4271f1205503e9eba03a22a9fd634f062e46f68bb4f7e47e", "database": null}], "encrypted": false, "bytes_read": 5311, "duration_ms": 368, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:31.049+00	t
6	1	1	2026-11-29 23:00:31.117+00	2026-11-29 23:00:31.124+00	{"backup": {"size": 1740, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "mariadb-dump": "10.11.19-MariaDB"}, "engine": "mysqldump", "objects": [{"name": "backup_6_shop_20261129230031.sql.zst.age", "role": "archive", "size": 1740, "sha256": "5eab14e8aaf075970c17e9548745d3217f1cae403ba6e75e1167a91303e59d08", "database": "shop"}, {"name": "backup_6_20261129230031.manifest.json", "role": "manifest", "size": 1175, "sha256": "6c83eb340b90e7947ea70bdf345722770cc9ddd7753d59f502a63103dd580187", "database": null}], "encrypted": true, "bytes_read": 5311, "duration_ms": 2076, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:33.223+00	t
7	1	1	2026-11-29 23:00:33.283+00	2026-11-29 23:00:33.296+00	{"backup": {"size": 460, "tools": {"tar": "1.34", "zstd": "1.5.4", "pzstd": "1.5.4"}, "engine": "tar", "objects": [{"name": "backup_7_20261129230033.tar.zst", "role": "archive", "size": 460, "sha256": "da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207", "database": null}, {"name": "backup_7_20261129230033.index.zst", "role": "index", "size": 238, "sha256": "d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe", "database": null}, {"name": "backup_7_20261129230033.manifest.json", "role": "manifest", "size": 1233, "sha256": "adf3e54ca07dd6bb0127ed9bebd1b9a33e110c2dee6018909ef05338bc8a7eb1", "database": null}], "encrypted": false, "bytes_read": 65536, "duration_ms": 328, "files_count": 7}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:33.624+00	t
8	1	1	2026-11-29 23:00:33.664+00	2026-11-29 23:00:33.67+00	{"backup": {"size": 642, "tools": {"tar": "1.34", "zstd": "1.5.4", "pzstd": "1.5.4"}, "engine": "tar", "objects": [{"name": "backup_8_20261129230033.tar.zst.age", "role": "archive", "size": 642, "sha256": "32e0d03ee80b4bfa46c026d9a5e8f222051f6c724ac361dda587e7437fd23d3d", "database": null}, {"name": "backup_8_20261129230033.index.zst.age", "role": "index", "size": 420, "sha256": "7ea53454262362ecb334a811dce5e246216c0b8b81a6601addae6dbe050191ca", "database": null}, {"name": "backup_8_20261129230033.manifest.json", "role": "manifest", "size": 1293, "sha256": "c2f476834cf4845606ebbacda893407186bbce7157d4509a128d5e986288ec9b", "database": null}], "encrypted": true, "bytes_read": 65536, "duration_ms": 2560, "files_count": 7}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:36.239+00	t
10	1	1	2026-11-29 23:00:36.617+00	2026-11-29 23:00:36.634+00	{"backup": {"size": 1449, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "pg_dump": "15.18"}, "engine": "pg_dump", "objects": [{"name": "backup_10_shop_20261129230036.dump.zst.age", "role": "archive", "size": 1449, "sha256": "d5cd944c54d30de2bb810d3a6247106b2b9840f924483056596dc71284bed632", "database": "shop"}, {"name": "backup_10_20261129230036.manifest.json", "role": "manifest", "size": 1233, "sha256": "2b28199b45d0950c3262d6fb2d7b07a4d555efab373d2702d470462f3de97493", "database": null}], "encrypted": true, "bytes_read": 3118, "duration_ms": 1358, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:37.989+00	t
16	1	1	2026-11-29 23:00:48.276+00	2026-11-29 23:00:48.282+00	{"backup": {"size": 1449, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "pg_dump": "15.18"}, "engine": "pg_dump", "objects": [{"name": "backup_16_shop_20261129230048.dump.zst.age", "role": "archive", "size": 1449, "sha256": "4edfc10c0f2ea440bdceb505c499c9e98f35fbcea2a636b979ce73504d7129ee", "database": "shop"}, {"name": "backup_16_20261129230048.manifest.json", "role": "manifest", "size": 1228, "sha256": "7240b473d2208978468ca512d2fcf132194a4f642b4089912a5e7f5b034fc21a", "database": null}], "encrypted": true, "bytes_read": 3118, "duration_ms": 2784, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:51.433+00	t
11	1	1	2026-11-29 23:00:38.015+00	2026-11-29 23:00:38.026+00	{"backup": {"size": 1558, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "mariadb-dump": "10.11.19-MariaDB"}, "engine": "mysqldump", "objects": [{"name": "backup_11_shop_20261129230038.sql.zst", "role": "archive", "size": 1558, "sha256": "1ddebf12811740d9d8ba2088dc8942bfbf5b84767307638b952effea89c2fda1", "database": "shop"}, {"name": "backup_11_20261129230038.manifest.json", "role": "manifest", "size": 1126, "sha256": "a820cb02c528955ce40a0ba5206ab747eb7a772db83fbe0e2d4bf224be3cc091", "database": null}], "encrypted": false, "bytes_read": 5311, "duration_ms": 239, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:38.269+00	t
12	1	1	2026-11-29 23:00:38.289+00	2026-11-29 23:00:38.295+00	{"backup": {"size": 1740, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "mariadb-dump": "10.11.19-MariaDB"}, "engine": "mysqldump", "objects": [{"name": "backup_12_shop_20261129230038.sql.zst.age", "role": "archive", "size": 1740, "sha256": "6f47a41088a81d1c4ac1b1e8af64c768be5a1a5db93cfe272e46dc42d9f7fac5", "database": "shop"}, {"name": "backup_12_20261129230038.manifest.json", "role": "manifest", "size": 1182, "sha256": "f9c47f634d41810fcfe8797564a840a2434cbabf52a8a98d93b3a505864bfc6f", "database": null}], "encrypted": true, "bytes_read": 5311, "duration_ms": 1152, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:39.453+00	t
13	1	1	2026-11-29 23:00:39.492+00	2026-11-29 23:00:39.506+00	{"backup": {"size": 460, "tools": {"tar": "1.34", "zstd": "1.5.4", "pzstd": "1.5.4"}, "engine": "tar", "objects": [{"name": "backup_13_20261129230039.tar.zst", "role": "archive", "size": 460, "sha256": "da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207", "database": null}, {"name": "backup_13_20261129230039.index.zst", "role": "index", "size": 238, "sha256": "d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe", "database": null}, {"name": "backup_13_20261129230039.manifest.json", "role": "manifest", "size": 1232, "sha256": "1ca3e27390612cebdba0a0e75c77cf20f556126a81814763cca1e032e64d0d88", "database": null}], "encrypted": false, "bytes_read": 65536, "duration_ms": 1762, "files_count": 7}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:41.737+00	t
14	1	1	2026-11-29 23:00:41.767+00	2026-11-29 23:00:41.777+00	{"backup": {"size": 642, "tools": {"tar": "1.34", "zstd": "1.5.4", "pzstd": "1.5.4"}, "engine": "tar", "objects": [{"name": "backup_14_20261129230041.tar.zst.age", "role": "archive", "size": 642, "sha256": "4eb3270f83de9365472a5e2effe628f06774e1ee392ae2df4a73765215f3a2a7", "database": null}, {"name": "backup_14_20261129230041.index.zst.age", "role": "index", "size": 420, "sha256": "7e69b8e183061ac62c56555ff7d01423cf170b1c57ac35db55cfed4c6456ba1c", "database": null}, {"name": "backup_14_20261129230041.manifest.json", "role": "manifest", "size": 1292, "sha256": "66eda261127f74c9814a303025feeb0522282d38b357a2e064095d121bf69a10", "database": null}], "encrypted": true, "bytes_read": 65536, "duration_ms": 4120, "files_count": 7}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:46.272+00	t
15	1	1	2026-11-29 23:00:46.307+00	2026-11-29 23:00:46.314+00	{"backup": {"size": 1194, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "pg_dump": "15.18"}, "engine": "pg_dump", "objects": [{"name": "backup_15_shop_20261129230046.sql.zst", "role": "archive", "size": 1194, "sha256": "cb99da020b075ddc8bb76b98cbb6376831139c8bc1a4ee2b33794c477ab46e22", "database": "shop"}, {"name": "backup_15_20261129230046.manifest.json", "role": "manifest", "size": 1177, "sha256": "18cf0487736326aadfee8ca720989f5ae4ba5fca18afc7dfd9381d7d58ed2b5c", "database": null}], "encrypted": false, "bytes_read": 2753, "duration_ms": 1472, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:48.231+00	t
17	1	1	2026-11-29 23:00:51.488+00	2026-11-29 23:00:51.501+00	{"backup": {"size": 1558, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "mariadb-dump": "10.11.19-MariaDB"}, "engine": "mysqldump", "objects": [{"name": "backup_17_shop_20261129230051.sql.zst", "role": "archive", "size": 1558, "sha256": "cf22fae5e97e4bd5587fc4c31db24374ea46635f9b12fb1910663bcfaa7d1164", "database": "shop"}, {"name": "backup_17_20261129230051.manifest.json", "role": "manifest", "size": 1121, "sha256": "ccbee645e432303ef743dad0522d4791d4e43ec5990f14c26ba21a1f987cba30", "database": null}], "encrypted": false, "bytes_read": 5311, "duration_ms": 1388, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:53.265+00	t
18	1	1	2026-11-29 23:00:53.362+00	2026-11-29 23:00:53.366+00	{"backup": {"size": 1740, "tools": {"zstd": "1.5.4", "pzstd": "1.5.4", "mariadb-dump": "10.11.19-MariaDB"}, "engine": "mysqldump", "objects": [{"name": "backup_18_shop_20261129230053.sql.zst.age", "role": "archive", "size": 1740, "sha256": "069fb1012f0274b927c4da6db7da22057694da78efea12478954e0026a81ad05", "database": "shop"}, {"name": "backup_18_20261129230053.manifest.json", "role": "manifest", "size": 1177, "sha256": "5c67a837d5893e3287c9b4d75ce3a342cd3ffb701906f8c01652c01a7fb499b4", "database": null}], "encrypted": true, "bytes_read": 5311, "duration_ms": 3256, "files_count": null}, "outcome": "succeeded", "warnings_count": 0}	2026-11-29 23:00:57.038+00	t
\.


--
-- Data for Name: run_output; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.run_output (run_id, sequence, text, sequences, ends) FROM stdin;
1	2	2026-11-29T23:00:23.792Z Run 1 of backup task 1 (files to local) on oldhost\n	\N	\N
1	3	2026-11-29T23:00:23.793Z Backing up files in @ROOT@/source\n2026-11-29T23:00:23.794Z Source found: @ROOT@/source on ext4 (/dev/vda)\n2026-11-29T23:00:23.811Z Using tar 1.34, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:23.811Z Writing to directory @ROOT@/local/files/plain\n2026-11-29T23:00:23.880Z Stored @ROOT@/source as backup_1_20261129230023.tar.zst: 460 bytes (460 B), SHA-256 da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207, in 0.1 s\n2026-11-29T23:00:23.891Z Stored its index as backup_1_20261129230023.index.zst: 238 bytes (238 B), SHA-256 d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe, in 0.0 s\n	\N	\N
1	4	2026-11-29T23:00:23.898Z Backup completed successfully in 0.1 s\n	\N	\N
2	2	2026-11-29T23:00:24.033Z Run 2 of backup task 2 (files to local, encrypted) on oldhost\n	\N	\N
2	3	2026-11-29T23:00:24.033Z Backing up files in @ROOT@/source\n2026-11-29T23:00:24.034Z Source found: @ROOT@/source on ext4 (/dev/vda)\n2026-11-29T23:00:24.070Z Using tar 1.34, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:24.070Z Writing to directory @ROOT@/local/files/encrypted\n	\N	\N
2	4	2026-11-29T23:00:26.006Z Stored @ROOT@/source as backup_2_20261129230024.tar.zst.age: 642 bytes (642 B), SHA-256 15869c545a45cc63332426339acefe505ddfb07e8a32c08c45e07235cb0d3dec, in 1.9 s\n	\N	\N
2	5	2026-11-29T23:00:27.934Z Stored its index as backup_2_20261129230024.index.zst.age: 420 bytes (420 B), SHA-256 63f25722f17fc5485d88aa9e29df3769cc8d65cad277783c8ba7c01d40a3c7af, in 1.9 s\n	\N	\N
2	6	2026-11-29T23:00:27.958Z Backup completed successfully in 3.9 s\n	\N	\N
3	2	2026-11-29T23:00:28.131Z Run 3 of backup task 3 (postgresql to local) on oldhost\n	\N	\N
3	3	2026-11-29T23:00:28.133Z Connecting to PostgreSQL at 127.0.0.1, port 35417 as postgres\n	\N	\N
3	4	2026-11-29T23:00:28.306Z PostgreSQL 15.18 (Debian 15.18-0+deb12u1): database shop, 7.8 MB\n2026-11-29T23:00:28.329Z Using pg_dump 15.18, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:28.329Z Writing to directory @ROOT@/local/postgresql/plain\n	\N	\N
3	5	2026-11-29T23:00:28.558Z Stored database shop as backup_3_shop_20261129230028.sql.zst: 1193 bytes (1.2 kB), SHA-256 5b64c0ced04c45e9544233da9351726d4c83f1952677cd2084f628f6ccf0e091, in 0.2 s\n	\N	\N
3	6	2026-11-29T23:00:28.573Z Backup completed successfully in 0.4 s\n	\N	\N
4	2	2026-11-29T23:00:28.699Z Run 4 of backup task 4 (postgresql to local, encrypted) on oldhost\n	\N	\N
4	3	2026-11-29T23:00:28.700Z Connecting to PostgreSQL at 127.0.0.1, port 35417 as postgres\n	\N	\N
4	4	2026-11-29T23:00:28.812Z PostgreSQL 15.18 (Debian 15.18-0+deb12u1): database shop, 7.8 MB\n2026-11-29T23:00:28.821Z Using pg_dump 15.18, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:28.821Z Writing to directory @ROOT@/local/postgresql/encrypted\n	\N	\N
4	5	2026-11-29T23:00:30.545Z Stored database shop as backup_4_shop_20261129230028.dump.zst.age: 1447 bytes (1.4 kB), SHA-256 bc9ce94a764b00b9e8a444fbac9ac20d4fb1823abee71ab3bbf2deeceb554f76, in 1.7 s\n	\N	\N
4	6	2026-11-29T23:00:30.551Z Backup completed successfully in 1.9 s\n	\N	\N
5	2	2026-11-29T23:00:30.661Z Run 5 of backup task 5 (mysql to local) on oldhost\n	\N	\N
5	3	2026-11-29T23:00:30.663Z Connecting to MySQL at 127.0.0.1, port 35331 as backup\n	\N	\N
5	4	2026-11-29T23:00:30.885Z MariaDB 10.11.19: database shop, 16.4 kB\n	\N	\N
5	5	2026-11-29T23:00:30.907Z Using mariadb-dump 10.11.19-MariaDB, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:30.907Z Writing to directory @ROOT@/local/mysql/plain\n	\N	\N
5	6	2026-11-29T23:00:31.022Z Stored database shop as backup_5_shop_20261129230030.sql.zst: 1558 bytes (1.6 kB), SHA-256 d7374b153145fc9b9cc6a5f1ee5ef0b741f7c4a0126485a17a9022b37bb52444, in 0.1 s\n2026-11-29T23:00:31.030Z Backup completed successfully in 0.4 s\n	\N	\N
6	2	2026-11-29T23:00:31.119Z Run 6 of backup task 6 (mysql to local, encrypted) on oldhost\n	\N	\N
6	3	2026-11-29T23:00:31.119Z Connecting to MySQL at 127.0.0.1, port 35331 as backup\n	\N	\N
6	4	2026-11-29T23:00:31.263Z MariaDB 10.11.19: database shop, 16.4 kB\n2026-11-29T23:00:31.284Z Using mariadb-dump 10.11.19-MariaDB, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:31.284Z Writing to directory @ROOT@/local/mysql/encrypted\n	\N	\N
6	6	2026-11-29T23:00:33.122Z Progress: 15.8 kB read, 166 B written, 7.9 kB/s\n	\N	\N
6	7	2026-11-29T23:00:33.178Z Stored database shop as backup_6_shop_20261129230031.sql.zst.age: 1740 bytes (1.7 kB), SHA-256 5eab14e8aaf075970c17e9548745d3217f1cae403ba6e75e1167a91303e59d08, in 1.9 s\n2026-11-29T23:00:33.195Z Backup completed successfully in 2.1 s\n	\N	\N
7	2	2026-11-29T23:00:33.285Z Run 7 of backup task 7 (files to custom_s3) on oldhost\n	\N	\N
7	3	2026-11-29T23:00:33.286Z Backing up files in @ROOT@/source\n2026-11-29T23:00:33.286Z Source found: @ROOT@/source on ext4 (/dev/vda)\n2026-11-29T23:00:33.326Z Using tar 1.34, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:33.326Z Writing to bucket backups, files/plain\n	\N	\N
7	4	2026-11-29T23:00:33.519Z Stored @ROOT@/source as backup_7_20261129230033.tar.zst: 460 bytes (460 B), SHA-256 da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207, in 0.2 s\n	\N	\N
7	5	2026-11-29T23:00:33.576Z Stored its index as backup_7_20261129230033.index.zst: 238 bytes (238 B), SHA-256 d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe, in 0.1 s\n2026-11-29T23:00:33.614Z Backup completed successfully in 0.3 s\n	\N	\N
8	2	2026-11-29T23:00:33.665Z Run 8 of backup task 8 (files to custom_s3, encrypted) on oldhost\n	\N	\N
8	3	2026-11-29T23:00:33.666Z Backing up files in @ROOT@/source\n2026-11-29T23:00:33.667Z Source found: @ROOT@/source on ext4 (/dev/vda)\n2026-11-29T23:00:33.694Z Using tar 1.34, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:33.694Z Writing to bucket backups, files/encrypted\n	\N	\N
8	4	2026-11-29T23:00:34.953Z Stored @ROOT@/source as backup_8_20261129230033.tar.zst.age: 642 bytes (642 B), SHA-256 32e0d03ee80b4bfa46c026d9a5e8f222051f6c724ac361dda587e7437fd23d3d, in 1.3 s\n	\N	\N
8	5	2026-11-29T23:00:36.189Z Stored its index as backup_8_20261129230033.index.zst.age: 420 bytes (420 B), SHA-256 7ea53454262362ecb334a811dce5e246216c0b8b81a6601addae6dbe050191ca, in 1.2 s\n	\N	\N
8	6	2026-11-29T23:00:36.226Z Backup completed successfully in 2.6 s\n	\N	\N
9	2	2026-11-29T23:00:36.267Z Run 9 of backup task 9 (postgresql to custom_s3) on oldhost\n	\N	\N
9	3	2026-11-29T23:00:36.268Z Connecting to PostgreSQL at 127.0.0.1, port 35417 as postgres\n2026-11-29T23:00:36.330Z PostgreSQL 15.18 (Debian 15.18-0+deb12u1): database shop, 7.8 MB\n2026-11-29T23:00:36.347Z Using pg_dump 15.18, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:36.347Z Writing to bucket backups, postgresql/plain\n	\N	\N
9	4	2026-11-29T23:00:36.528Z Stored database shop as backup_9_shop_20261129230036.sql.zst: 1196 bytes (1.2 kB), SHA-256 e482d84b70e20a0d883577c61cc969d0d23da4457c2d36c26d4d5e8891d5b407, in 0.2 s\n	\N	\N
10	6	2026-11-29T23:00:37.981Z Backup completed successfully in 1.4 s\n	\N	\N
12	2	2026-11-29T23:00:38.290Z Run 12 of backup task 12 (mysql to custom_s3, encrypted) on oldhost\n	\N	\N
13	3	2026-11-29T23:00:39.960Z Backing up files in @ROOT@/source\n	\N	\N
13	5	2026-11-29T23:00:40.711Z Stored @ROOT@/source as backup_13_20261129230039.tar.zst: 460 bytes (460 B), SHA-256 da58d6cc97982ca55dc41353acad24c8bda92a7a33223d422804eee5738aa207, in 0.7 s\n	\N	\N
13	7	2026-11-29T23:00:41.727Z Backup completed successfully in 2.2 s\n	\N	\N
14	2	2026-11-29T23:00:41.769Z Run 14 of backup task 14 (files to sftp, encrypted) on oldhost\n	\N	\N
14	4	2026-11-29T23:00:42.139Z Source found: @ROOT@/source on ext4 (/dev/vda)\n2026-11-29T23:00:42.160Z Using tar 1.34, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:42.160Z Writing to SFTP rg-test-42431262@127.0.0.1:39787 @SFTP@/files/encrypted\n	\N	\N
14	6	2026-11-29T23:00:45.741Z Stored its index as backup_14_20261129230041.index.zst.age: 420 bytes (420 B), SHA-256 7e69b8e183061ac62c56555ff7d01423cf170b1c57ac35db55cfed4c6456ba1c, in 1.9 s\n	\N	\N
15	2	2026-11-29T23:00:46.308Z Run 15 of backup task 15 (postgresql to sftp) on oldhost\n	\N	\N
15	4	2026-11-29T23:00:46.810Z PostgreSQL 15.18 (Debian 15.18-0+deb12u1): database shop, 7.8 MB\n	\N	\N
15	6	2026-11-29T23:00:47.703Z Stored database shop as backup_15_shop_20261129230046.sql.zst: 1194 bytes (1.2 kB), SHA-256 cb99da020b075ddc8bb76b98cbb6376831139c8bc1a4ee2b33794c477ab46e22, in 0.9 s\n	\N	\N
9	5	2026-11-29T23:00:36.572Z Backup completed successfully in 0.3 s\n	\N	\N
10	2	2026-11-29T23:00:36.618Z Run 10 of backup task 10 (postgresql to custom_s3, encrypted) on oldhost\n	\N	\N
11	4	2026-11-29T23:00:38.219Z Stored database shop as backup_11_shop_20261129230038.sql.zst: 1558 bytes (1.6 kB), SHA-256 1ddebf12811740d9d8ba2088dc8942bfbf5b84767307638b952effea89c2fda1, in 0.1 s\n	\N	\N
15	7	2026-11-29T23:00:48.206Z Backup completed successfully in 1.9 s\n	\N	\N
16	3	2026-11-29T23:00:48.639Z Connecting to PostgreSQL at 127.0.0.1, port 35417 as postgres\n	\N	\N
18	6	2026-11-29T23:00:56.535Z Stored database shop as backup_18_shop_20261129230053.sql.zst.age: 1740 bytes (1.7 kB), SHA-256 069fb1012f0274b927c4da6db7da22057694da78efea12478954e0026a81ad05, in 2.6 s\n	\N	\N
10	3	2026-11-29T23:00:36.623Z Connecting to PostgreSQL at 127.0.0.1, port 35417 as postgres\n	\N	\N
11	2	2026-11-29T23:00:38.016Z Run 11 of backup task 11 (mysql to custom_s3) on oldhost\n	\N	\N
12	7	2026-11-29T23:00:39.402Z Stored database shop as backup_12_shop_20261129230038.sql.zst.age: 1740 bytes (1.7 kB), SHA-256 6f47a41088a81d1c4ac1b1e8af64c768be5a1a5db93cfe272e46dc42d9f7fac5, in 1.0 s\n	\N	\N
16	7	2026-11-29T23:00:50.934Z Stored database shop as backup_16_shop_20261129230048.dump.zst.age: 1449 bytes (1.4 kB), SHA-256 4edfc10c0f2ea440bdceb505c499c9e98f35fbcea2a636b979ce73504d7129ee, in 2.2 s\n	\N	\N
10	4	2026-11-29T23:00:36.728Z PostgreSQL 15.18 (Debian 15.18-0+deb12u1): database shop, 7.8 MB\n2026-11-29T23:00:36.775Z Using pg_dump 15.18, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:36.775Z Writing to bucket backups, postgresql/encrypted\n	\N	\N
10	5	2026-11-29T23:00:37.942Z Stored database shop as backup_10_shop_20261129230036.dump.zst.age: 1449 bytes (1.4 kB), SHA-256 d5cd944c54d30de2bb810d3a6247106b2b9840f924483056596dc71284bed632, in 1.2 s\n	\N	\N
11	3	2026-11-29T23:00:38.020Z Connecting to MySQL at 127.0.0.1, port 35331 as backup\n2026-11-29T23:00:38.088Z MariaDB 10.11.19: database shop, 16.4 kB\n2026-11-29T23:00:38.103Z Using mariadb-dump 10.11.19-MariaDB, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:38.103Z Writing to bucket backups, mysql/plain\n	\N	\N
12	6	2026-11-29T23:00:39.300Z Progress: 0 B read, 166 B written, 0 B/s\n	\N	\N
13	2	2026-11-29T23:00:39.495Z Run 13 of backup task 13 (files to sftp) on oldhost\n	\N	\N
13	4	2026-11-29T23:00:39.963Z Source found: @ROOT@/source on ext4 (/dev/vda)\n2026-11-29T23:00:39.995Z Using tar 1.34, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:39.995Z Writing to SFTP rg-test-42431262@127.0.0.1:39787 @SFTP@/files/plain\n	\N	\N
13	6	2026-11-29T23:00:41.223Z Stored its index as backup_13_20261129230039.index.zst: 238 bytes (238 B), SHA-256 d31e3ce5484f13aa4ce68681cc7bafe45b90ddc4875e4198380735d9567c4abe, in 0.5 s\n	\N	\N
16	6	2026-11-29T23:00:50.643Z Progress: 0 B read, 1.4 kB written, 0 B/s\n	\N	\N
17	3	2026-11-29T23:00:51.867Z Connecting to MySQL at 127.0.0.1, port 35331 as backup\n	\N	\N
17	5	2026-11-29T23:00:51.970Z Using mariadb-dump 10.11.19-MariaDB, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:51.970Z Writing to SFTP rg-test-42431262@127.0.0.1:39787 @SFTP@/mysql/plain\n	\N	\N
18	3	2026-11-29T23:00:53.771Z Connecting to MySQL at 127.0.0.1, port 35331 as backup\n	\N	\N
18	7	2026-11-29T23:00:57.029Z Backup completed successfully in 3.7 s\n	\N	\N
11	5	2026-11-29T23:00:38.258Z Backup completed successfully in 0.2 s\n	\N	\N
12	3	2026-11-29T23:00:38.291Z Connecting to MySQL at 127.0.0.1, port 35331 as backup\n2026-11-29T23:00:38.377Z MariaDB 10.11.19: database shop, 16.4 kB\n	\N	\N
16	2	2026-11-29T23:00:48.277Z Run 16 of backup task 16 (postgresql to sftp, encrypted) on oldhost\n	\N	\N
16	4	2026-11-29T23:00:48.710Z PostgreSQL 15.18 (Debian 15.18-0+deb12u1): database shop, 7.8 MB\n2026-11-29T23:00:48.721Z Using pg_dump 15.18, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:48.721Z Writing to SFTP rg-test-42431262@127.0.0.1:39787 @SFTP@/postgresql/encrypted\n	\N	\N
18	2	2026-11-29T23:00:53.363Z Run 18 of backup task 18 (mysql to sftp, encrypted) on oldhost\n	\N	\N
18	5	2026-11-29T23:00:53.952Z Using mariadb-dump 10.11.19-MariaDB, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:53.953Z Writing to SFTP rg-test-42431262@127.0.0.1:39787 @SFTP@/mysql/encrypted\n	\N	\N
12	4	2026-11-29T23:00:38.401Z Using mariadb-dump 10.11.19-MariaDB, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:38.401Z Writing to bucket backups, mysql/encrypted\n	\N	\N
12	8	2026-11-29T23:00:39.443Z Backup completed successfully in 1.2 s\n	\N	\N
14	3	2026-11-29T23:00:42.139Z Backing up files in @ROOT@/source\n	\N	\N
14	5	2026-11-29T23:00:43.831Z Stored @ROOT@/source as backup_14_20261129230041.tar.zst.age: 642 bytes (642 B), SHA-256 4eb3270f83de9365472a5e2effe628f06774e1ee392ae2df4a73765215f3a2a7, in 1.7 s\n	\N	\N
14	7	2026-11-29T23:00:46.261Z Backup completed successfully in 4.5 s\n	\N	\N
15	3	2026-11-29T23:00:46.734Z Connecting to PostgreSQL at 127.0.0.1, port 35417 as postgres\n	\N	\N
15	5	2026-11-29T23:00:46.839Z Using pg_dump 15.18, pzstd 1.5.4, zstd 1.5.4\n2026-11-29T23:00:46.839Z Writing to SFTP rg-test-42431262@127.0.0.1:39787 @SFTP@/postgresql/plain\n	\N	\N
16	8	2026-11-29T23:00:51.425Z Backup completed successfully in 3.1 s\n	\N	\N
17	2	2026-11-29T23:00:51.493Z Run 17 of backup task 17 (mysql to sftp) on oldhost\n	\N	\N
17	4	2026-11-29T23:00:51.959Z MariaDB 10.11.19: database shop, 16.4 kB\n	\N	\N
17	6	2026-11-29T23:00:52.741Z Stored database shop as backup_17_shop_20261129230051.sql.zst: 1558 bytes (1.6 kB), SHA-256 cf22fae5e97e4bd5587fc4c31db24374ea46635f9b12fb1910663bcfaa7d1164, in 0.8 s\n	\N	\N
17	7	2026-11-29T23:00:53.256Z Backup completed successfully in 1.8 s\n	\N	\N
18	4	2026-11-29T23:00:53.927Z MariaDB 10.11.19: database shop, 16.4 kB\n	\N	\N
\.


--
-- Data for Name: runs; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.runs (id, user_id, kind, backup_task_id, remote_server_id, backup_destination_id, trigger, scheduled_for, state, attempt, deadline_at, lease_expires_at, timeout_at, object_directory, object_prefix, object_stamp, encryption_password_encrypted, reason, warnings_count, bytes_read, bytes_written, files_count, bytes_per_second, eta_seconds, last_sequence, output_size, output_cut, output_compacted, created_at, started_at, finished_at) FROM stdin;
1	1	backup	1	1	1	manual	\N	succeeded	1	\N	2026-11-29 23:01:23.912+00	\N	@ROOT@/local/files/plain	backup_1	20261129230023	\N	\N	0	65536	460	7	\N	0	5	844	0	f	2026-11-29 23:00:23.719+00	2026-11-29 23:00:23.816+00	2026-11-29 23:00:23.933+00
2	1	backup	2	1	1	manual	\N	succeeded	1	\N	2026-11-29 23:01:27.979+00	\N	@ROOT@/local/files/encrypted	backup_2	20261129230024	v1:0f8bea05:oJwZ1L7FAAMWyilF4f2WukOdanqMY9j+8O+2L2LNf3J08x3iphED7uvTNOAdNM5ITVJmWiVg	\N	0	65536	642	7	\N	0	7	867	0	f	2026-11-29 23:00:24.007+00	2026-11-29 23:00:24.038+00	2026-11-29 23:00:28.002+00
3	1	backup	3	1	1	manual	\N	succeeded	1	\N	2026-11-29 23:01:28.585+00	\N	@ROOT@/local/postgresql/plain	backup_3	20261129230028	\N	\N	0	2753	1193	\N	\N	0	7	673	0	f	2026-11-29 23:00:28.111+00	2026-11-29 23:00:28.144+00	2026-11-29 23:00:28.61+00
4	1	backup	4	1	1	manual	\N	succeeded	1	\N	2026-11-29 23:01:30.558+00	\N	@ROOT@/local/postgresql/encrypted	backup_4	20261129230028	v1:0f8bea05:tQ6qu5K3SBIFl8c7B7oaPUtTQmo46WLYFUWhp58fwAbH0DgBUdoG6hUl8ALam+oLHMLXc+ji	\N	0	3118	1447	\N	\N	0	7	693	0	f	2026-11-29 23:00:28.682+00	2026-11-29 23:00:28.714+00	2026-11-29 23:00:30.571+00
6	1	backup	6	1	1	manual	\N	succeeded	1	\N	2026-11-29 23:01:33.2+00	\N	@ROOT@/local/mysql/encrypted	backup_6	20261129230031	v1:0f8bea05:NxD6uEOk8tC80a22R9mlnhfeM0+KSmsVb3jorDKbmMP9HEJcc2NnGQ3L6QkdvzdyJsSn1upk	\N	0	5311	1740	\N	7874	0	8	740	0	f	2026-11-29 23:00:31.09+00	2026-11-29 23:00:31.124+00	2026-11-29 23:00:33.218+00
5	1	backup	5	1	1	manual	\N	succeeded	1	\N	2026-11-29 23:01:31.035+00	\N	@ROOT@/local/mysql/plain	backup_5	20261129230030	\N	\N	0	5311	1558	\N	\N	0	7	648	0	f	2026-11-29 23:00:30.637+00	2026-11-29 23:00:30.667+00	2026-11-29 23:00:31.046+00
7	1	backup	7	1	2	manual	\N	succeeded	1	\N	2026-11-29 23:01:33.619+00	\N	files/plain	backup_7	20261129230033	\N	\N	0	65536	460	7	\N	0	6	822	0	f	2026-11-29 23:00:33.278+00	2026-11-29 23:00:33.296+00	2026-11-29 23:00:33.622+00
8	1	backup	8	1	2	manual	\N	succeeded	1	\N	2026-11-29 23:01:36.234+00	\N	files/encrypted	backup_8	20261129230033	v1:0f8bea05:0zU4TbKxpASIPLNAhrDaSHzbB4DwJgA5UgWGwoSnQqbhCIZa9WReMMl0Z7wAMAg+oKFUkl8L	\N	0	65536	642	7	\N	0	7	845	0	f	2026-11-29 23:00:33.657+00	2026-11-29 23:00:33.67+00	2026-11-29 23:00:36.238+00
9	1	backup	9	1	2	manual	\N	succeeded	1	\N	2026-11-29 23:01:36.578+00	\N	postgresql/plain	backup_9	20261129230036	\N	\N	0	2753	1196	\N	\N	0	6	651	0	f	2026-11-29 23:00:36.259+00	2026-11-29 23:00:36.275+00	2026-11-29 23:00:36.582+00
10	1	backup	10	1	2	manual	\N	succeeded	1	\N	2026-11-29 23:01:37.985+00	\N	postgresql/encrypted	backup_10	20261129230036	v1:0f8bea05:wByh5Mhhb5lJWHXa4HAmIWkD9coA10B1xxVp2qJltAih9+59EHB3KLee8+jel615Mudt1MoN	\N	0	3118	1449	\N	\N	0	7	674	0	f	2026-11-29 23:00:36.609+00	2026-11-29 23:00:36.634+00	2026-11-29 23:00:37.988+00
11	1	backup	11	1	2	manual	\N	succeeded	1	\N	2026-11-29 23:01:38.262+00	\N	mysql/plain	backup_11	20261129230038	\N	\N	0	5311	1558	\N	\N	0	6	629	0	f	2026-11-29 23:00:38.006+00	2026-11-29 23:00:38.026+00	2026-11-29 23:00:38.269+00
12	1	backup	12	1	2	manual	\N	succeeded	1	\N	2026-11-29 23:01:39.447+00	\N	mysql/encrypted	backup_12	20261129230038	v1:0f8bea05:krDPfXu8Aa2JGw3KWAxMX7NUaYL1U44qLUPf3LbzLsLPAVG+fZxD5YZWOy7SpmA+y0L7wSPM	\N	0	5311	1740	\N	0	0	9	714	0	f	2026-11-29 23:00:38.284+00	2026-11-29 23:00:38.295+00	2026-11-29 23:00:39.45+00
13	1	backup	13	1	3	manual	\N	succeeded	1	\N	2026-11-29 23:01:41.731+00	\N	@SFTP@/files/plain	backup_13	20261129230039	\N	\N	0	65536	460	7	\N	0	8	886	0	f	2026-11-29 23:00:39.482+00	2026-11-29 23:00:39.506+00	2026-11-29 23:00:41.737+00
14	1	backup	14	1	3	manual	\N	succeeded	1	\N	2026-11-29 23:01:46.266+00	\N	@SFTP@/files/encrypted	backup_14	20261129230041	v1:0f8bea05:+G2lt2weklxQwccuLWEQUKTYe70a6ogmIh6gzEUocInJVpgF/clH87jF0JL31UXEWL+sWg5u	\N	0	65536	642	7	\N	0	8	909	0	f	2026-11-29 23:00:41.76+00	2026-11-29 23:00:41.777+00	2026-11-29 23:00:46.271+00
15	1	backup	15	1	3	manual	\N	succeeded	1	\N	2026-11-29 23:01:48.21+00	\N	@SFTP@/postgresql/plain	backup_15	20261129230046	\N	\N	0	2753	1194	\N	\N	0	8	714	0	f	2026-11-29 23:00:46.302+00	2026-11-29 23:00:46.314+00	2026-11-29 23:00:48.23+00
16	1	backup	16	1	3	manual	\N	succeeded	1	\N	2026-11-29 23:01:51.428+00	\N	@SFTP@/postgresql/encrypted	backup_16	20261129230048	v1:0f8bea05:M3vV+iDtLf/OrSpVNc8EoC1QmHveSY9+GrLDWm6gYcXlRkWEV1VVHBB1Z56GZSpOzrezNxsm	\N	0	3118	1449	\N	0	0	9	801	0	f	2026-11-29 23:00:48.267+00	2026-11-29 23:00:48.282+00	2026-11-29 23:00:51.433+00
17	1	backup	17	1	3	manual	\N	succeeded	1	\N	2026-11-29 23:01:53.261+00	\N	@SFTP@/mysql/plain	backup_17	20261129230051	\N	\N	0	5311	1558	\N	\N	0	8	689	0	f	2026-11-29 23:00:51.473+00	2026-11-29 23:00:51.501+00	2026-11-29 23:00:53.263+00
18	1	backup	18	1	3	manual	\N	succeeded	1	\N	2026-11-29 23:01:57.033+00	\N	@SFTP@/mysql/encrypted	backup_18	20261129230053	v1:0f8bea05:DL0TqvVO0rKcMjMjnX7v8OibaAifXnTilKhC7F6AdmU9vIiTUyxgWMNm9iVat4SYySd3M5DZ	\N	0	5311	1740	\N	\N	0	8	708	0	f	2026-11-29 23:00:53.35+00	2026-11-29 23:00:53.366+00	2026-11-29 23:00:57.038+00
\.


--
-- Data for Name: schema_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.schema_migrations (version, name, checksum, applied_at) FROM stdin;
1	0001_initial	20d246c7ed48020c117af2805f7079a5fd273f5bbdcda7b4a22285a16aaa9a20	2026-11-29 23:00:22.961+00
2	0002_ssh_key	c01c0485d51868dda79a2d37dfd1c03b412a79f608cd746a0dbf05d9b6da73af	2026-11-29 23:00:22.983+00
\.


--
-- Data for Name: skipped_schedules; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.skipped_schedules (backup_task_id, due_at, active_run_id, created_at) FROM stdin;
\.


--
-- Data for Name: ssh_key; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.ssh_key (id, public_key, private_key_encrypted, created_at) FROM stdin;
\.


--
-- Data for Name: tags; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.tags (id, user_id, label, description, colour, created_at, updated_at) FROM stdin;
1	1	old	\N	\N	2026-11-29 23:00:57.074+00	2026-11-29 23:00:57.074+00
\.


--
-- Data for Name: tokens; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.tokens (id, user_id, name, abilities, token_hash, expires_at, last_used_at, revoked_at, created_at, updated_at) FROM stdin;
1	1	First administrator	{manage-tags,view-backup-destinations,create-backup-destinations,update-backup-destinations,delete-backup-destinations,view-remote-servers,create-remote-servers,update-remote-servers,delete-remote-servers,view-notification-streams,create-notification-streams,update-notification-streams,delete-notification-streams,view-backup-tasks,create-backup-tasks,update-backup-tasks,delete-backup-tasks,run-backup-tasks,restore-backups,delete-backups,manage-tokens,admin}	3af4ad9a92172690379fdb85eab978d587a249a65ec67e56d43e2e3078d28306	\N	2026-11-29 23:00:23.048+00	\N	2026-11-29 23:00:23.036+00	2026-11-29 23:00:23.036+00
\.


--
-- Data for Name: uploads; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.uploads (id, run_id, attempt, backup_destination_id, object_key, s3_upload_id, part_size, state, size, created_at, updated_at) FROM stdin;
d4eb40c4-4b42-4a12-9997-be85406bbbec	7	1	2	files/plain/backup_7_20261129230033.tar.zst	4e04d3f6bf55b73b415880e38467418b	16777216	completed	460	2026-11-29 23:00:33.343+00	2026-11-29 23:00:33.514+00
23425ba8-4930-4d39-9acf-cd3592b8843c	12	1	2	mysql/encrypted/backup_12_20261129230038.manifest.json	caa4b88b79cdc7f333ae435c698ac728	16777216	completed	1182	2026-11-29 23:00:39.405+00	2026-11-29 23:00:39.442+00
b10ffb43-53bb-4cdc-aebb-4a956c008d39	7	1	2	files/plain/backup_7_20261129230033.index.zst	2c4c4b2bb9704e4a9a879a038fda385c	16777216	completed	238	2026-11-29 23:00:33.524+00	2026-11-29 23:00:33.575+00
4b6ee1a8-3230-4be5-8c63-9eecc154741b	7	1	2	files/plain/backup_7_20261129230033.manifest.json	9208c2f3b266bf459d434911ed6f4a5a	16777216	completed	1233	2026-11-29 23:00:33.578+00	2026-11-29 23:00:33.612+00
b6d80618-b855-4d6a-a9e1-e821b0d91c1c	8	1	2	files/encrypted/backup_8_20261129230033.tar.zst.age	c3d4eb30230fdd34cee766d0d07c4b1e	16777216	completed	642	2026-11-29 23:00:33.697+00	2026-11-29 23:00:34.952+00
1c415afb-f0ed-4771-aafc-e00e725e94f4	8	1	2	files/encrypted/backup_8_20261129230033.index.zst.age	8adee9392ffe92e47475ed794ceafa71	16777216	completed	420	2026-11-29 23:00:34.959+00	2026-11-29 23:00:36.187+00
9d2c2dcf-e038-4594-9d02-374a9c22eda8	8	1	2	files/encrypted/backup_8_20261129230033.manifest.json	b92c1316204072e0673c8e3e75da76e4	16777216	completed	1293	2026-11-29 23:00:36.199+00	2026-11-29 23:00:36.225+00
51bffced-d3c5-4d1b-8566-d193dbfb5965	9	1	2	postgresql/plain/backup_9_shop_20261129230036.sql.zst	8b15e2c6929822538c46821f3db17281	16777216	completed	1196	2026-11-29 23:00:36.352+00	2026-11-29 23:00:36.526+00
64fd1fd1-c5c0-41bf-bf13-f8afc2f1420a	9	1	2	postgresql/plain/backup_9_20261129230036.manifest.json	2b8b8d83a29c27ef03b1810ef8394228	16777216	completed	1179	2026-11-29 23:00:36.534+00	2026-11-29 23:00:36.571+00
f1af05d9-6401-4fa9-a179-572e5a05b431	10	1	2	postgresql/encrypted/backup_10_shop_20261129230036.dump.zst.age	a8bd9944f3b611b330ea7eaac69fb7fe	16777216	completed	1449	2026-11-29 23:00:36.783+00	2026-11-29 23:00:37.94+00
26e712c7-07c2-4b43-97b0-a2f5754dd1f0	10	1	2	postgresql/encrypted/backup_10_20261129230036.manifest.json	d7e9b1ef34ac509d1132be4803f17ed4	16777216	completed	1233	2026-11-29 23:00:37.949+00	2026-11-29 23:00:37.979+00
982eb17a-e42a-42f2-87c0-9610ebb0258d	11	1	2	mysql/plain/backup_11_shop_20261129230038.sql.zst	848305e68e564e36a6ef9746a9377cbd	16777216	completed	1558	2026-11-29 23:00:38.108+00	2026-11-29 23:00:38.217+00
e8b887e3-93b0-42d9-bef5-a259e47990e2	11	1	2	mysql/plain/backup_11_20261129230038.manifest.json	4079655ba48dcc56514848c0ee293937	16777216	completed	1126	2026-11-29 23:00:38.222+00	2026-11-29 23:00:38.257+00
af8aca2b-fbfb-40e6-962e-207507be5c45	12	1	2	mysql/encrypted/backup_12_shop_20261129230038.sql.zst.age	11c482ec870a5a66b9dd5a55b83f580f	16777216	completed	1740	2026-11-29 23:00:38.407+00	2026-11-29 23:00:39.4+00
\.


--
-- Data for Name: users; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.users (id, name, email, timezone, language, is_admin, weekly_summary_enabled, created_at, updated_at) FROM stdin;
1	Administrator	admin@localhost	UTC	en	t	f	2026-11-29 23:00:23.036+00	2026-11-29 23:00:23.036+00
\.


--
-- Name: agent_requests_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.agent_requests_id_seq', 1, false);


--
-- Name: backup_destinations_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.backup_destinations_id_seq', 3, true);


--
-- Name: backup_tasks_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.backup_tasks_id_seq', 18, true);


--
-- Name: backups_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.backups_id_seq', 18, true);


--
-- Name: enrolment_tokens_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.enrolment_tokens_id_seq', 1, true);


--
-- Name: leftovers_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.leftovers_id_seq', 1, false);


--
-- Name: notification_streams_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.notification_streams_id_seq', 1, true);


--
-- Name: remote_servers_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.remote_servers_id_seq', 1, true);


--
-- Name: runs_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.runs_id_seq', 18, true);


--
-- Name: tags_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.tags_id_seq', 1, true);


--
-- Name: tokens_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.tokens_id_seq', 1, true);


--
-- Name: users_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.users_id_seq', 1, true);


--
-- Name: agent_requests agent_requests_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.agent_requests
    ADD CONSTRAINT agent_requests_pkey PRIMARY KEY (id);


--
-- Name: backup_destinations backup_destinations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_destinations
    ADD CONSTRAINT backup_destinations_pkey PRIMARY KEY (id);


--
-- Name: backup_objects backup_objects_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_objects
    ADD CONSTRAINT backup_objects_pkey PRIMARY KEY (backup_id, ordinal);


--
-- Name: backup_task_notification_streams backup_task_notification_streams_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_task_notification_streams
    ADD CONSTRAINT backup_task_notification_streams_pkey PRIMARY KEY (backup_task_id, notification_stream_id);


--
-- Name: backup_task_tags backup_task_tags_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_task_tags
    ADD CONSTRAINT backup_task_tags_pkey PRIMARY KEY (backup_task_id, tag_id);


--
-- Name: backup_tasks backup_tasks_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_tasks
    ADD CONSTRAINT backup_tasks_pkey PRIMARY KEY (id);


--
-- Name: backups backups_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_pkey PRIMARY KEY (id);


--
-- Name: enrolment_tokens enrolment_tokens_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.enrolment_tokens
    ADD CONSTRAINT enrolment_tokens_pkey PRIMARY KEY (id);


--
-- Name: enrolment_tokens enrolment_tokens_token_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.enrolment_tokens
    ADD CONSTRAINT enrolment_tokens_token_hash_key UNIQUE (token_hash);


--
-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (token_id, key);


--
-- Name: leftovers leftovers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.leftovers
    ADD CONSTRAINT leftovers_pkey PRIMARY KEY (id);


--
-- Name: notification_streams notification_streams_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notification_streams
    ADD CONSTRAINT notification_streams_pkey PRIMARY KEY (id);


--
-- Name: remote_servers remote_servers_agent_key_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.remote_servers
    ADD CONSTRAINT remote_servers_agent_key_hash_key UNIQUE (agent_key_hash);


--
-- Name: remote_servers remote_servers_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.remote_servers
    ADD CONSTRAINT remote_servers_pkey PRIMARY KEY (id);


--
-- Name: remote_servers remote_servers_user_id_ip_address_port_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.remote_servers
    ADD CONSTRAINT remote_servers_user_id_ip_address_port_key UNIQUE (user_id, ip_address, port);


--
-- Name: replicas replicas_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.replicas
    ADD CONSTRAINT replicas_pkey PRIMARY KEY (id);


--
-- Name: run_attempts run_attempts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.run_attempts
    ADD CONSTRAINT run_attempts_pkey PRIMARY KEY (run_id, attempt);


--
-- Name: run_output run_output_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.run_output
    ADD CONSTRAINT run_output_pkey PRIMARY KEY (run_id, sequence);


--
-- Name: runs runs_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_pkey PRIMARY KEY (id);


--
-- Name: schema_migrations schema_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);


--
-- Name: skipped_schedules skipped_schedules_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.skipped_schedules
    ADD CONSTRAINT skipped_schedules_pkey PRIMARY KEY (backup_task_id, due_at);


--
-- Name: ssh_key ssh_key_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.ssh_key
    ADD CONSTRAINT ssh_key_pkey PRIMARY KEY (id);


--
-- Name: tags tags_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_pkey PRIMARY KEY (id);


--
-- Name: tokens tokens_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);


--
-- Name: tokens tokens_token_hash_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_token_hash_key UNIQUE (token_hash);


--
-- Name: uploads uploads_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (id);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: agent_requests_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX agent_requests_age ON public.agent_requests USING btree (created_at);


--
-- Name: agent_requests_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX agent_requests_waiting ON public.agent_requests USING btree (remote_server_id, id) WHERE (state = 'waiting'::text);


--
-- Name: backup_destinations_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backup_destinations_user ON public.backup_destinations USING btree (user_id, id);


--
-- Name: backup_task_notification_streams_stream; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backup_task_notification_streams_stream ON public.backup_task_notification_streams USING btree (notification_stream_id);


--
-- Name: backup_task_tags_tag; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backup_task_tags_tag ON public.backup_task_tags USING btree (tag_id);


--
-- Name: backup_tasks_destination; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backup_tasks_destination ON public.backup_tasks USING btree (backup_destination_id);


--
-- Name: backup_tasks_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backup_tasks_due ON public.backup_tasks USING btree (next_run_at) WHERE (paused_at IS NULL);


--
-- Name: backup_tasks_server; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backup_tasks_server ON public.backup_tasks USING btree (remote_server_id);


--
-- Name: backup_tasks_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backup_tasks_user ON public.backup_tasks USING btree (user_id, id);


--
-- Name: backups_destination; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backups_destination ON public.backups USING btree (backup_destination_id);


--
-- Name: backups_removal; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backups_removal ON public.backups USING btree (next_removal_at) WHERE (removal_requested_at IS NOT NULL);


--
-- Name: backups_task; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backups_task ON public.backups USING btree (backup_task_id, created_at DESC, id DESC);


--
-- Name: backups_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX backups_user ON public.backups USING btree (user_id, id);


--
-- Name: idempotency_keys_age; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);


--
-- Name: leftovers_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX leftovers_due ON public.leftovers USING btree (next_removal_at);


--
-- Name: notification_streams_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX notification_streams_user ON public.notification_streams USING btree (user_id, id);


--
-- Name: remote_servers_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX remote_servers_user ON public.remote_servers USING btree (user_id, id);


--
-- Name: runs_active; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_active ON public.runs USING btree (remote_server_id) WHERE (state = ANY (ARRAY['leased'::text, 'running'::text, 'cancelling'::text]));


--
-- Name: runs_deadline; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_deadline ON public.runs USING btree (deadline_at) WHERE (deadline_at IS NOT NULL);


--
-- Name: runs_one_active_backup; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX runs_one_active_backup ON public.runs USING btree (backup_task_id) WHERE ((kind = 'backup'::text) AND (state = ANY (ARRAY['queued'::text, 'leased'::text, 'running'::text, 'cancelling'::text])));


--
-- Name: runs_queued; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_queued ON public.runs USING btree (remote_server_id, id) WHERE (state = 'queued'::text);


--
-- Name: runs_task; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_task ON public.runs USING btree (backup_task_id, id);


--
-- Name: runs_timeout; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_timeout ON public.runs USING btree (timeout_at) WHERE ((state = 'running'::text) AND (timeout_at IS NOT NULL));


--
-- Name: runs_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX runs_user ON public.runs USING btree (user_id, id);


--
-- Name: tags_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tags_user ON public.tags USING btree (user_id, id);


--
-- Name: tokens_user; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX tokens_user ON public.tokens USING btree (user_id, id);


--
-- Name: uploads_run; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX uploads_run ON public.uploads USING btree (run_id);


--
-- Name: users_email; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX users_email ON public.users USING btree (lower(email));


--
-- Name: agent_requests agent_requests_remote_server_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.agent_requests
    ADD CONSTRAINT agent_requests_remote_server_id_fkey FOREIGN KEY (remote_server_id) REFERENCES public.remote_servers(id) ON DELETE CASCADE;


--
-- Name: backup_destinations backup_destinations_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_destinations
    ADD CONSTRAINT backup_destinations_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: backup_objects backup_objects_backup_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_objects
    ADD CONSTRAINT backup_objects_backup_id_fkey FOREIGN KEY (backup_id) REFERENCES public.backups(id) ON DELETE CASCADE;


--
-- Name: backup_task_notification_streams backup_task_notification_streams_backup_task_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_task_notification_streams
    ADD CONSTRAINT backup_task_notification_streams_backup_task_id_fkey FOREIGN KEY (backup_task_id) REFERENCES public.backup_tasks(id) ON DELETE CASCADE;


--
-- Name: backup_task_notification_streams backup_task_notification_streams_notification_stream_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_task_notification_streams
    ADD CONSTRAINT backup_task_notification_streams_notification_stream_id_fkey FOREIGN KEY (notification_stream_id) REFERENCES public.notification_streams(id) ON DELETE CASCADE;


--
-- Name: backup_task_tags backup_task_tags_backup_task_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_task_tags
    ADD CONSTRAINT backup_task_tags_backup_task_id_fkey FOREIGN KEY (backup_task_id) REFERENCES public.backup_tasks(id) ON DELETE CASCADE;


--
-- Name: backup_task_tags backup_task_tags_tag_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_task_tags
    ADD CONSTRAINT backup_task_tags_tag_id_fkey FOREIGN KEY (tag_id) REFERENCES public.tags(id) ON DELETE CASCADE;


--
-- Name: backup_tasks backup_tasks_backup_destination_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_tasks
    ADD CONSTRAINT backup_tasks_backup_destination_id_fkey FOREIGN KEY (backup_destination_id) REFERENCES public.backup_destinations(id);


--
-- Name: backup_tasks backup_tasks_remote_server_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_tasks
    ADD CONSTRAINT backup_tasks_remote_server_id_fkey FOREIGN KEY (remote_server_id) REFERENCES public.remote_servers(id);


--
-- Name: backup_tasks backup_tasks_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backup_tasks
    ADD CONSTRAINT backup_tasks_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: backups backups_backup_destination_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_backup_destination_id_fkey FOREIGN KEY (backup_destination_id) REFERENCES public.backup_destinations(id);


--
-- Name: backups backups_backup_task_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_backup_task_id_fkey FOREIGN KEY (backup_task_id) REFERENCES public.backup_tasks(id) ON DELETE SET NULL;


--
-- Name: backups backups_remote_server_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_remote_server_id_fkey FOREIGN KEY (remote_server_id) REFERENCES public.remote_servers(id) ON DELETE SET NULL;


--
-- Name: backups backups_run_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE SET NULL;


--
-- Name: backups backups_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.backups
    ADD CONSTRAINT backups_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: enrolment_tokens enrolment_tokens_remote_server_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.enrolment_tokens
    ADD CONSTRAINT enrolment_tokens_remote_server_id_fkey FOREIGN KEY (remote_server_id) REFERENCES public.remote_servers(id) ON DELETE CASCADE;


--
-- Name: idempotency_keys idempotency_keys_token_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_token_id_fkey FOREIGN KEY (token_id) REFERENCES public.tokens(id) ON DELETE CASCADE;


--
-- Name: leftovers leftovers_backup_destination_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.leftovers
    ADD CONSTRAINT leftovers_backup_destination_id_fkey FOREIGN KEY (backup_destination_id) REFERENCES public.backup_destinations(id) ON DELETE CASCADE;


--
-- Name: leftovers leftovers_remote_server_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.leftovers
    ADD CONSTRAINT leftovers_remote_server_id_fkey FOREIGN KEY (remote_server_id) REFERENCES public.remote_servers(id) ON DELETE CASCADE;


--
-- Name: leftovers leftovers_run_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.leftovers
    ADD CONSTRAINT leftovers_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE SET NULL;


--
-- Name: leftovers leftovers_upload_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.leftovers
    ADD CONSTRAINT leftovers_upload_id_fkey FOREIGN KEY (upload_id) REFERENCES public.uploads(id) ON DELETE CASCADE;


--
-- Name: notification_streams notification_streams_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.notification_streams
    ADD CONSTRAINT notification_streams_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: remote_servers remote_servers_connection_replica_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.remote_servers
    ADD CONSTRAINT remote_servers_connection_replica_id_fkey FOREIGN KEY (connection_replica_id) REFERENCES public.replicas(id) ON DELETE SET NULL;


--
-- Name: remote_servers remote_servers_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.remote_servers
    ADD CONSTRAINT remote_servers_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: run_attempts run_attempts_remote_server_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.run_attempts
    ADD CONSTRAINT run_attempts_remote_server_id_fkey FOREIGN KEY (remote_server_id) REFERENCES public.remote_servers(id) ON DELETE SET NULL;


--
-- Name: run_attempts run_attempts_run_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.run_attempts
    ADD CONSTRAINT run_attempts_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;


--
-- Name: run_output run_output_run_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.run_output
    ADD CONSTRAINT run_output_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;


--
-- Name: runs runs_backup_destination_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_backup_destination_id_fkey FOREIGN KEY (backup_destination_id) REFERENCES public.backup_destinations(id) ON DELETE SET NULL;


--
-- Name: runs runs_backup_task_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_backup_task_id_fkey FOREIGN KEY (backup_task_id) REFERENCES public.backup_tasks(id) ON DELETE SET NULL;


--
-- Name: runs runs_remote_server_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_remote_server_id_fkey FOREIGN KEY (remote_server_id) REFERENCES public.remote_servers(id) ON DELETE SET NULL;


--
-- Name: runs runs_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.runs
    ADD CONSTRAINT runs_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: skipped_schedules skipped_schedules_active_run_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.skipped_schedules
    ADD CONSTRAINT skipped_schedules_active_run_id_fkey FOREIGN KEY (active_run_id) REFERENCES public.runs(id) ON DELETE SET NULL;


--
-- Name: skipped_schedules skipped_schedules_backup_task_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.skipped_schedules
    ADD CONSTRAINT skipped_schedules_backup_task_id_fkey FOREIGN KEY (backup_task_id) REFERENCES public.backup_tasks(id) ON DELETE CASCADE;


--
-- Name: tags tags_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tags
    ADD CONSTRAINT tags_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: tokens tokens_user_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: uploads uploads_backup_destination_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_backup_destination_id_fkey FOREIGN KEY (backup_destination_id) REFERENCES public.backup_destinations(id);


--
-- Name: uploads uploads_run_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.runs(id) ON DELETE CASCADE;


--
-- PostgreSQL database dump complete
--


