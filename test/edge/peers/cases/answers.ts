import { body, type Case, close, get, header, host, post } from './case.ts';

export const answers: readonly Case[] = [
  {
    name: 'HEAD',
    send: `HEAD /head HTTP/1.1\r\n${host}${close}`,
    answers: '200: HEAD /head | content-length: 1234',
    show: seen => /content-length: \d+/i.exec(seen.text)?.[0].toLowerCase() ?? '',
  },
  {
    name: '204',
    send: get('/204'),
    answers: '204: GET /204',
    show: seen => /content-length: \d+|transfer-encoding/i.exec(seen.text)?.[0].toLowerCase() ?? '',
  },
  {
    name: '304',
    send: get('/304'),
    answers: '304: GET /304 | content-length: 7',
    show: seen => /content-length: \d+|transfer-encoding/i.exec(seen.text)?.[0].toLowerCase() ?? '',
  },
  {
    name: 'chunks for HTTP/1.0',
    send: `GET /chunked HTTP/1.0\r\n${host}\r\n`,
    answers: '200: GET /chunked | "abc"',
    show: body,
  },
  {
    name: 'early hints',
    send: get('/hints'),
    answers: {
      edge: '103+200: GET /hints',
      nginx: 'waits: GET /hints',
      haproxy: '103+200: GET /hints',
      why: 'nginx 1.22 takes hints for the answer, and waits for its end',
    },
  },
  {
    name: 'trailers of an answer',
    send: get('/trailers', 'TE: trailers\r\n'),
    answers: {
      edge: '200: GET /trailers | x-sum: 42',
      nginx: '200: GET /trailers',
      haproxy: '200: GET /trailers | x-sum: 42',
      why: 'nginx drops trailers',
    },
    show: seen => /x-sum: \d+/i.exec(seen.text.split('\r\n\r\n')[1] ?? '')?.[0].toLowerCase() ?? '',
  },
  { name: 'an answer that is cut', send: get('/cut'), answers: '200: GET /cut | "hello"', show: body },
  {
    name: 'a chunked answer that is cut',
    send: get('/cut-chunked'),
    answers: '200: GET /cut-chunked | "5\\r\\nhello\\r\\n"',
    show: body,
  },
  {
    name: '100-continue',
    send: post('Expect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n', ''),
    steps: [{ after: /100 Continue/i, send: 'body' }],
    answers: {
      edge: '100+200: POST / "body"',
      nginx: '100+200: POST / "body"',
      haproxy: '100+200: POST / "body" | expect: 100-continue',
      why: 'HAProxy leaves the 100 to the app; the edge sends it when an instance is admitted',
    },
    show: header('expect'),
  },
  {
    name: '100-continue without a body',
    send: get('/', 'Expect: 100-continue\r\n'),
    answers: '100+200: GET /',
  },
  {
    name: '100-continue of HTTP/1.0',
    send: post('Expect: 100-continue\r\nContent-Length: 4\r\n', 'body', '1.0'),
    answers: '200: POST / "body"',
  },
  {
    name: 'an interim answer of another kind',
    send: get('/processing'),
    answers: {
      edge: '200: GET /processing',
      nginx: 'waits: GET /processing',
      haproxy: '102+200: GET /processing',
      why: 'nginx 1.22 takes it for the answer; the edge leaves out what no client uses',
    },
  },
  {
    name: 'another expectation',
    send: post('Expect: miracle\r\nContent-Length: 4\r\nConnection: close\r\n', 'body'),
    answers: {
      edge: '417',
      nginx: '200: POST / "body"',
      haproxy: '417',
      why: 'nginx looks for 100-continue alone; to HAProxy it is the app that says 417',
    },
    show: header('expect'),
  },
  {
    name: 'a body that ends too early',
    send: post('Content-Length: 10\r\n', 'abc'),
    abort: true,
    answers: {
      edge: 'waits: POST / "abc" cut',
      nginx: 'waits',
      haproxy: 'waits: POST / "abc" cut',
      why: 'nginx reads the whole body before it asks the app',
    },
  },
  {
    name: 'a chunked body that ends too early',
    send: post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n'),
    abort: true,
    answers: {
      edge: 'waits: POST / "abc" cut',
      nginx: 'waits',
      haproxy: 'waits: POST / "abc" cut',
      why: 'nginx reads the whole body before it asks the app',
    },
  },
];
