import { type Case, get, header, host } from './case.ts';

export const hops: readonly Case[] = [
  {
    name: 'a header that Connection names',
    send: `GET / HTTP/1.1\r\n${host}X-Secret: 1\r\nConnection: close, X-Secret\r\n\r\n`,
    answers: {
      edge: '200: GET /',
      nginx: '200: GET / | x-secret: 1',
      haproxy: '200: GET / | x-secret: 1',
      why: 'nginx and HAProxy do not read the names in Connection',
    },
    show: header('x-secret'),
  },
  {
    name: 'X-Forwarded-For named in Connection',
    send: `GET / HTTP/1.1\r\n${host}Connection: close, X-Forwarded-For\r\n\r\n`,
    answers: '200: GET / | x-forwarded-for: 127.0.0.1',
    show: header('x-forwarded-for'),
  },
  {
    name: 'X-Forwarded-For made up',
    send: get('/', 'X-Forwarded-For: 6.6.6.6\r\n'),
    answers: {
      edge: '200: GET / | x-forwarded-for: 127.0.0.1',
      nginx: '200: GET / | x-forwarded-for: 6.6.6.6, 127.0.0.1',
      haproxy: '200: GET / | x-forwarded-for: 6.6.6.6, x-forwarded-for: 127.0.0.1',
      why: 'nginx and HAProxy add to what a visitor made up; the edge believes trusted proxies alone',
    },
    show: header('x-forwarded-for'),
  },
  {
    name: 'Keep-Alive and Proxy-Authorization',
    send: get('/', 'Keep-Alive: 5\r\nProxy-Authorization: Basic x\r\n'),
    answers: {
      edge: '200: GET /',
      nginx: '200: GET / | proxy-authorization: Basic x',
      haproxy: '200: GET / | keep-alive: 5 proxy-authorization: Basic x',
      why: 'nginx and HAProxy forward hop-by-hop headers',
    },
    show: seen => [header('keep-alive')(seen), header('proxy-authorization')(seen)].join(' '),
  },
  { name: 'TE', send: get('/', 'TE: gzip\r\n'), answers: '200: GET /', show: header('te') },
  {
    name: 'hop-by-hop headers of an answer',
    send: get('/hop'),
    answers: {
      edge: '200: GET /hop | x-public: 1',
      nginx: '200: GET /hop | x-private: 1 proxy-authenticate: Basic x-public: 1',
      haproxy: '200: GET /hop | x-private: 1 proxy-authenticate: Basic x-public: 1',
      why: 'nginx and HAProxy forward hop-by-hop headers',
    },
    show: seen => seen.text.match(/(?:x-private|proxy-authenticate|x-public): \w+/gi)?.join(' ') ?? '',
  },
  {
    name: 'Cookie twice',
    send: get('/', 'Cookie: a=1\r\nCookie: b=2\r\n'),
    answers: '200: GET / | cookie: a=1, cookie: b=2',
    show: header('cookie'),
  },
  {
    name: '101 headers',
    send: get('/', 'X: 1\r\n'.repeat(101)),
    answers: {
      edge: '431',
      nginx: '200: GET /',
      haproxy: '400',
      why: 'nginx counts bytes alone; the others stop at 100, each with its own status',
    },
  },
  {
    name: '1000 headers',
    send: get('/', 'X: 1\r\n'.repeat(1000)),
    answers: {
      edge: '431',
      nginx: '400',
      haproxy: '400',
      why: 'nginx and HAProxy have no status of their own for it',
    },
  },
  {
    name: 'a header of 64 KiB',
    send: get('/', `X: ${'x'.repeat(65_536)}\r\n`),
    answers: {
      edge: '431',
      nginx: '400',
      haproxy: '400',
      why: 'nginx and HAProxy have no status of their own for it',
    },
  },
  {
    name: 'a target of 10 KiB',
    send: get(`/${'x'.repeat(10_240)}`),
    answers: {
      edge: '414',
      nginx: '414',
      haproxy: '200: GET /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...',
      why: 'HAProxy bounds the head as a whole to 16 KiB',
    },
  },
];
