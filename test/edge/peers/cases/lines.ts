import { type Case, close, get, host } from './case.ts';

export const lines: readonly Case[] = [
  {
    name: 'a bare LF after a header',
    send: `GET / HTTP/1.1\r\nHost: demo.test\nX: 1\r\n${close}`,
    answers: {
      edge: '400',
      nginx: '200: GET /',
      haproxy: '200: GET /',
      why: 'nginx and HAProxy take LF for CRLF, as the RFC allows; Node takes CRLF alone',
    },
  },
  {
    name: 'bare LFs alone',
    send: 'GET / HTTP/1.1\nHost: demo.test\nConnection: close\n\n',
    answers: {
      edge: '400',
      nginx: '200: GET /',
      haproxy: '200: GET /',
      why: 'nginx and HAProxy take LF for CRLF, as the RFC allows; Node takes CRLF alone',
    },
  },
  { name: 'a bare CR in a header', send: get('/', 'X: 1\rY: 2\r\n'), answers: '400' },
  {
    name: 'a folded header',
    send: get('/', 'X: 1\r\n 2\r\n'),
    answers: { edge: '400', nginx: '400', haproxy: '200: GET /', why: 'HAProxy joins the lines' },
  },
  { name: 'a folded first header', send: `GET / HTTP/1.1\r\n X: 1\r\n${host}${close}`, answers: '400' },
  {
    name: 'a header without a colon',
    send: get('/', 'nonsense\r\n'),
    answers: { edge: '400', nginx: '200: GET /', haproxy: '400', why: 'nginx skips the line' },
  },
  { name: 'a header without a name', send: get('/', ': 1\r\n'), answers: '400' },
  { name: 'a zero byte in a header', send: get('/', 'X: a\0b\r\n'), answers: '400' },
  { name: 'a zero byte in the target', send: get('/a\0b'), answers: '400' },
  { name: 'a control byte in the target', send: get('/a\x01b'), answers: '400' },
  {
    name: 'two spaces in the request line',
    send: `GET  / HTTP/1.1\r\n${host}${close}`,
    answers: '200: GET /',
  },
  { name: 'a method in lower case', send: `get / HTTP/1.1\r\n${host}${close}`, answers: '400' },
  {
    name: 'HTTP/0.9',
    send: 'GET /\r\n\r\n',
    answers: {
      edge: '505',
      nginx: 'closed',
      haproxy: '400',
      why: 'nginx answers the way of HTTP/0.9, without a head; the edge names what it speaks',
    },
  },
  {
    name: 'HTTP/0.9 by name',
    send: `GET / HTTP/0.9\r\n${host}${close}`,
    answers: {
      edge: '505',
      nginx: '400',
      haproxy: '200: GET /',
      why: 'HAProxy takes any version number; the edge names what it speaks',
    },
  },
  { name: 'a space in the target', send: get('/a b'), answers: '400' },
  {
    name: 'HTTP/1.2',
    send: `GET / HTTP/1.2\r\n${host}${close}`,
    answers: {
      edge: '400',
      nginx: '200: GET /',
      haproxy: '200: GET /',
      why: 'nginx and HAProxy take any 1.x for 1.1; Node knows two versions',
    },
  },
  {
    name: 'HTTP/2.0 without its preface',
    send: `GET / HTTP/2.0\r\n${host}${close}`,
    answers: { edge: '505', nginx: '505', haproxy: '200: GET /', why: 'HAProxy takes any version number' },
  },
  {
    name: 'the preface of HTTP/2',
    send: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: 'waits',
      why: 'HAProxy takes up HTTP/2 without TLS too, and waits for its frames',
    },
  },
  { name: 'empty lines before the request', send: `\r\n\r\n${get('/')}`, answers: '200: GET /' },
];
