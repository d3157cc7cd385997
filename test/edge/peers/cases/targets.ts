import { type Case, close, get, header, host } from './case.ts';

export const targets: readonly Case[] = [
  {
    name: 'no Host',
    send: `GET / HTTP/1.1\r\n${close}`,
    answers: { edge: '400', nginx: '400', haproxy: '404', why: 'HAProxy takes no Host for an unknown one' },
  },
  {
    name: 'no Host in HTTP/1.0',
    send: 'GET / HTTP/1.0\r\n\r\n',
    answers: {
      edge: '400',
      nginx: '404',
      haproxy: '404',
      why: 'the others serve HTTP/1.0 without Host from a default site; here there is none',
    },
  },
  {
    name: 'an empty Host',
    send: `GET / HTTP/1.1\r\nHost: \r\n${close}`,
    answers: { edge: '400', nginx: '400', haproxy: '404', why: 'HAProxy takes no Host for an unknown one' },
  },
  { name: 'two Hosts', send: `GET / HTTP/1.1\r\n${host}Host: other.test\r\n${close}`, answers: '400' },
  {
    name: 'a Host with a path',
    send: `GET / HTTP/1.1\r\nHost: demo.test/x\r\n${close}`,
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '404',
      why: 'HAProxy compares names, it does not parse them',
    },
  },
  {
    name: 'a Host with a user',
    send: `GET / HTTP/1.1\r\nHost: a@demo.test\r\n${close}`,
    answers: {
      edge: '400',
      nginx: '404',
      haproxy: '404',
      why: 'nginx and HAProxy compare names, they do not parse them',
    },
  },
  {
    name: 'a Host with a space',
    send: `GET / HTTP/1.1\r\nHost: demo .test\r\n${close}`,
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '404',
      why: 'HAProxy compares names, it does not parse them',
    },
  },
  {
    name: 'a Host with a port of letters',
    send: `GET / HTTP/1.1\r\nHost: demo.test:abc\r\n${close}`,
    answers: {
      edge: '400',
      nginx: '200: GET /',
      haproxy: '200: GET /',
      why: 'nginx and HAProxy do not look at the port',
    },
  },
  {
    name: 'a Host with a port beyond all',
    send: `GET / HTTP/1.1\r\nHost: demo.test:99999\r\n${close}`,
    answers: '200: GET /',
  },
  {
    name: 'a Host of 300 characters',
    send: `GET / HTTP/1.1\r\nHost: ${'a.'.repeat(150)}test\r\n${close}`,
    answers: {
      edge: '400',
      nginx: '404',
      haproxy: '404',
      why: 'no name is so long; nginx and HAProxy look it up all the same',
    },
  },
  {
    name: 'a Host in upper case with dot and port',
    send: `GET / HTTP/1.1\r\nHost: DEMO.test.:81\r\n${close}`,
    answers: '200: GET / | host: DEMO.test.:81',
    show: header('host'),
  },
  { name: 'an unknown Host', send: `GET / HTTP/1.1\r\nHost: other.test\r\n${close}`, answers: '404' },
  {
    name: 'an absolute target of another host',
    send: `GET http://demo.test/a HTTP/1.1\r\nHost: other.test\r\n${close}`,
    answers: {
      edge: '200: GET /a | host: demo.test',
      nginx: '200: GET /a | host: other.test',
      haproxy: '400',
      why: 'nginx goes by the target but forwards the Host; HAProxy refuses the two that differ',
    },
    show: header('host'),
  },
  {
    name: 'an absolute target with a user',
    send: `GET http://a@demo.test/a HTTP/1.1\r\n${host}${close}`,
    answers: {
      edge: '400',
      nginx: '400',
      haproxy: '200: GET http://a@demo.test/a',
      why: 'HAProxy forwards absolute targets as they are',
    },
  },
  {
    name: 'an absolute target without a path',
    send: `GET http://demo.test?a HTTP/1.1\r\n${host}${close}`,
    answers: {
      edge: '200: GET /?a',
      nginx: '200: GET /?a',
      haproxy: '400',
      why: 'HAProxy compares the Host with what is between the slashes',
    },
  },
  {
    name: 'an absolute target without a Host',
    send: `GET http://demo.test/a HTTP/1.1\r\n${close}`,
    answers: { edge: '400', nginx: '400', haproxy: '404', why: 'HAProxy takes no Host for an unknown one' },
  },
  {
    name: 'an absolute target of another scheme',
    send: `GET ftp://demo.test/a HTTP/1.1\r\n${host}${close}`,
    answers: {
      edge: '400',
      nginx: '200: GET /a',
      haproxy: '200: GET ftp://demo.test/a',
      why: 'a proxy of http has nothing to do with other schemes; HAProxy forwards the target as it is',
    },
  },
  { name: 'a target without a slash', send: `GET demo HTTP/1.1\r\n${host}${close}`, answers: '400' },
  {
    name: 'OPTIONS *',
    send: `OPTIONS * HTTP/1.1\r\n${host}${close}`,
    answers: {
      edge: '200: OPTIONS *',
      nginx: '400',
      haproxy: '200: OPTIONS *',
      why: 'nginx does not forward it',
    },
  },
  {
    name: 'slashes, dots and braces',
    send: get('//a//b/../c/%2e%2e/%2F?x={}|\\'),
    answers: '200: GET //a//b/../c/%2e%2e/%2F?x={}|\\',
  },
  {
    name: 'an encoded zero byte',
    send: get('/a%00b'),
    answers: {
      edge: '200: GET /a%00b',
      nginx: '400',
      haproxy: '200: GET /a%00b',
      why: 'nginx decodes paths to look them up; the edge and HAProxy leave them to the app',
    },
  },
  {
    name: 'a path above the root',
    send: get('/../x'),
    answers: {
      edge: '200: GET /../x',
      nginx: '400',
      haproxy: '200: GET /../x',
      why: 'nginx resolves paths to look them up; the edge and HAProxy leave them to the app',
    },
  },
  {
    name: 'a fragment',
    send: get('/a#b'),
    answers: {
      edge: '200: GET /a#b',
      nginx: '200: GET /a#b',
      haproxy: '400',
      why: 'HAProxy refuses it because its rules may look at paths; the edge has none, and changes no byte',
    },
  },
  {
    name: 'CONNECT',
    send: `CONNECT demo.test:443 HTTP/1.1\r\n${host}\r\n`,
    answers: {
      edge: '405',
      nginx: '400',
      haproxy: '502',
      why: 'HAProxy forwards it, and the app does not know it',
    },
  },
  {
    name: 'TRACE',
    send: `TRACE / HTTP/1.1\r\n${host}${close}`,
    answers: {
      edge: '200: TRACE /',
      nginx: '405',
      haproxy: '200: TRACE /',
      why: 'nginx refuses TRACE; the edge and HAProxy leave it to the app',
    },
  },
];
