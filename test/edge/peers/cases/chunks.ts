import { type Case, post } from './case.ts';

const chunked = (content: string) => post(`Transfer-Encoding: chunked\r\nConnection: close\r\n`, content);

export const chunks: readonly Case[] = [
  {
    name: 'a chunk size in hex with a prefix',
    send: chunked('0x3\r\nabc\r\n0\r\n\r\n'),
    answers: '400',
  },
  { name: 'a chunk size with a sign', send: chunked('+3\r\nabc\r\n0\r\n\r\n'), answers: '400' },
  {
    name: 'a chunk size beyond all numbers',
    send: chunked(`${'f'.repeat(20)}\r\nabc\r\n0\r\n\r\n`),
    answers: '400',
  },
  { name: 'a chunk size that is empty', send: chunked('\r\nabc\r\n0\r\n\r\n'), answers: '400' },
  { name: 'a chunk longer than it says', send: chunked('3\r\nabcd\r\n0\r\n\r\n'), answers: '400' },
  {
    name: 'a chunk whose line ends in LF',
    send: chunked('3\nabc\r\n0\r\n\r\n'),
    answers: {
      edge: '400',
      nginx: '200: POST / "abc"',
      haproxy: '200: POST / "abc"',
      why: 'nginx and HAProxy take LF for CRLF within chunks',
    },
  },
  {
    name: 'a chunk whose data ends in LF',
    send: chunked('3\r\nabc\n0\r\n\r\n'),
    answers: {
      edge: '400',
      nginx: '200: POST / "abc"',
      haproxy: '200: POST / "abc"',
      why: 'nginx and HAProxy take LF for CRLF within chunks',
    },
  },
  {
    name: 'an extension of a chunk',
    send: chunked('3;a=b\r\nabc\r\n0\r\n\r\n'),
    answers: '200: POST / "abc"',
  },
  {
    name: 'an extension with a bare LF',
    send: chunked('3;a\nb\r\nabc\r\n0\r\n\r\n'),
    answers: '400',
  },
  {
    name: 'leading zeros of a chunk size',
    send: chunked('0003\r\nabc\r\n0\r\n\r\n'),
    answers: '200: POST / "abc"',
  },
  {
    name: 'an extension of 100 KiB',
    send: chunked(`3;${'a'.repeat(100_000)}\r\nabc\r\n0\r\n\r\n`),
    answers: {
      edge: '400',
      nginx: '200: POST / "abc"',
      haproxy: 'waits',
      why: 'Node bounds extensions to 16 KiB; nginx does not; HAProxy waits for a line that fits its buffer',
    },
  },
  {
    name: 'trailers of 100 KiB',
    send: chunked(`3\r\nabc\r\n0\r\n${'X: 1234567890\r\n'.repeat(7500)}\r\n`),
    answers: {
      edge: '400',
      nginx: '200: POST / "abc"',
      haproxy: '400',
      why: 'nginx reads trailers away without a bound',
    },
  },
  {
    name: 'framing and routing in trailers',
    send: chunked('3\r\nabc\r\n0\r\nContent-Length: 9\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n'),
    answers: {
      edge: '400',
      nginx: '200: POST / "abc"',
      haproxy: '400',
      why: 'nginx reads trailers away; Node and HAProxy refuse a length among them',
    },
    show: seen =>
      seen.app
        .flatMap(({ trailers }) => trailers)
        .join()
        .toLowerCase(),
  },
  {
    name: 'a trailer of a request',
    send: chunked('3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'),
    answers: {
      edge: '200: POST / "abc" | x-sum: 1',
      nginx: '200: POST / "abc"',
      haproxy: '200: POST / "abc" | x-sum: 1',
      why: 'nginx reads trailers away',
    },
    show: seen =>
      seen.app
        .flatMap(({ trailers }) => trailers)
        .join()
        .toLowerCase(),
  },
];
