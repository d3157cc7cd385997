import { type Case, close, get, host, post } from './case.ts';

export const framing: readonly Case[] = [
  {
    name: 'both lengths',
    send: post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nX'),
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '200: POST /',
      why: 'HAProxy drops the length and goes on; a proxy before it may have taken the length',
    },
  },
  {
    name: 'both lengths, the other order',
    send: post('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n', '0\r\n\r\nX'),
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '200: POST /',
      why: 'HAProxy drops the length and goes on; a proxy before it may have taken the length',
    },
  },
  {
    name: 'two different lengths',
    send: post('Content-Length: 3\r\nContent-Length: 5\r\n', 'abcde'),
    answers: '400',
  },
  {
    name: 'the same length twice',
    send: post('Content-Length: 3\r\nContent-Length: 3\r\nConnection: close\r\n', 'abc'),
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '200: POST / "abc"',
      why: 'HAProxy takes two equal lengths for one',
    },
  },
  {
    name: 'a list as length',
    send: post('Content-Length: 3, 3\r\nConnection: close\r\n', 'abc'),
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '200: POST / "abc"',
      why: 'HAProxy takes two equal lengths for one',
    },
  },
  {
    name: 'a length with a sign',
    send: post('Content-Length: +3\r\nConnection: close\r\n', 'abc'),
    answers: '400',
  },
  {
    name: 'a negative length',
    send: post('Content-Length: -3\r\nConnection: close\r\n', 'abc'),
    answers: '400',
  },
  {
    name: 'a length in hex',
    send: post('Content-Length: 0x3\r\nConnection: close\r\n', 'abc'),
    answers: '400',
  },
  {
    name: 'a length beyond all numbers',
    send: post(`Content-Length: ${'9'.repeat(30)}\r\nConnection: close\r\n`, 'abc'),
    answers: '400',
  },
  {
    name: 'a space before the colon of a length',
    send: post('Content-Length : 3\r\nConnection: close\r\n', 'abc'),
    answers: '400',
  },
  {
    name: 'chunks in HTTP/1.0',
    send: post('Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n', '1.0'),
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '200: POST / "abc"',
      why: 'HAProxy reads the chunks; a server that knows none in 1.0 would read a second request',
    },
  },
  {
    name: 'chunked twice',
    send: post(
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n',
      '0\r\n\r\n',
    ),
    answers: '400',
  },
  {
    name: 'chunked not last',
    send: post('Transfer-Encoding: chunked, identity\r\nConnection: close\r\n', '0\r\n\r\n'),
    answers: {
      edge: '400',
      nginx: '501',
      haproxy: '400',
      why: 'nginx calls every unknown encoding unimplemented; Node refuses this one as malformed',
    },
  },
  {
    name: 'chunked behind gzip',
    send: post('Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n', '0\r\n\r\n'),
    answers: {
      edge: '501',
      nginx: '501',
      haproxy: '422',
      why: 'HAProxy has its own status for encodings that it cannot undo',
    },
  },
  {
    name: 'an encoding that is nearly chunked',
    send: post('Transfer-Encoding: xchunked\r\nConnection: close\r\n', '0\r\n\r\n'),
    answers: {
      edge: '501',
      nginx: '501',
      haproxy: '400',
      why: 'HAProxy calls it malformed, the others unimplemented',
    },
  },
  {
    name: 'chunked after a vertical tab',
    send: post('Transfer-Encoding: \x0bchunked\r\nConnection: close\r\n', '0\r\n\r\n'),
    answers: {
      edge: '400',
      nginx: '501',
      haproxy: '400',
      why: 'nginx calls every unknown encoding unimplemented',
    },
  },
  {
    name: 'a body of GET',
    send: `GET / HTTP/1.1\r\n${host}Content-Length: 3\r\n${close}abc`,
    answers: '200: GET / "abc"',
  },
  {
    name: 'a chunked DELETE that holds a request',
    send: `DELETE / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n${close}12\r\nGET /in HTTP/1.1\r\n\r\n0\r\n\r\n`,
    answers: '200: DELETE / "GET /in HTTP/1.1\\r\\n"',
  },
  {
    name: 'an unknown encoding with a request as its body',
    send: `${post('Transfer-Encoding: xchunked\r\n', '')}${get('/in')}`,
    answers: {
      edge: '501',
      nginx: '501',
      haproxy: '400',
      why: 'HAProxy calls it malformed, the others unimplemented; all close',
    },
  },
  {
    name: 'an encoding in quotes',
    send: post('Transfer-Encoding: "chunked"\r\nConnection: close\r\n', '0\r\n\r\n'),
    answers: {
      edge: '501',
      nginx: '501',
      haproxy: '400',
      why: 'HAProxy calls it malformed, the others unimplemented',
    },
  },
  {
    name: 'an encoding with a parameter',
    send: post('Transfer-Encoding: chunked;a=b\r\nConnection: close\r\n', '0\r\n\r\n'),
    answers: {
      edge: '501',
      nginx: '501',
      haproxy: '400',
      why: 'HAProxy calls it malformed, the others unimplemented',
    },
  },
  {
    name: 'an empty encoding',
    send: `${post('Transfer-Encoding: \r\n', '')}${get('/in')}`,
    answers: {
      edge: '501',
      nginx: '501',
      haproxy: '400',
      why: 'HAProxy calls it malformed, the others unimplemented; all close',
    },
  },
  {
    name: 'an empty encoding and a length',
    send: post('Transfer-Encoding: \r\nContent-Length: 3\r\nConnection: close\r\n', 'abc'),
    answers: {
      edge: '400',
      nginx: '501',
      haproxy: '400',
      why: 'nginx looks at the encoding first; to the edge these are two lengths',
    },
  },
  { name: 'an empty length', send: post('Content-Length: \r\nConnection: close\r\n', ''), answers: '400' },
  {
    name: 'underscores for dashes',
    send: post('Content_Length: 3\r\nTransfer_Encoding: chunked\r\nConnection: close\r\n', ''),
    answers: {
      edge: '200: POST /',
      nginx: '200: POST /',
      haproxy: '200: POST / | content_length: 3, transfer_encoding: chunked',
      why: 'HAProxy lets through what CGI-like apps read as Content-Length and Transfer-Encoding',
    },
    show: seen => seen.app.flatMap(({ headers }) => headers.filter(each => each.includes('_'))).join(', '),
  },
  {
    name: 'garbage behind a request',
    send: `GET /1 HTTP/1.1\r\n${host}\r\ngarbage\r\n\r\n`,
    answers: {
      edge: '200: GET /1',
      nginx: '200+400: GET /1',
      haproxy: '200+400: GET /1',
      why: 'the edge ends the connection with the last answer that was asked for',
    },
  },
  { name: 'a request behind one that closes', send: `${get('/1')}${get('/2')}`, answers: '200: GET /1' },
  {
    name: 'a line end behind a body',
    send: post('Content-Length: 3\r\nConnection: close\r\n', 'abc\r\n'),
    answers: '200: POST / "abc"',
  },
  {
    name: 'a body of HEAD',
    send: `HEAD / HTTP/1.1\r\n${host}Content-Length: 3\r\n${close}abc`,
    answers: '200: HEAD / "abc"',
  },
  {
    name: 'a request behind a request',
    send: `GET /1 HTTP/1.1\r\n${host}\r\n${get('/2')}`,
    answers: '200+200: GET /1, GET /2',
  },
];
