import { body, type Case, header, host } from './case.ts';

const websocket = (path: string, more = '') =>
  `GET ${path} HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${more}\r\n`;

export const upgrades: readonly Case[] = [
  { name: 'a websocket', send: websocket('/chat'), answers: '101: GET /chat | "hello"', show: body },
  {
    name: 'a websocket that is refused',
    send: websocket('/no'),
    answers: '403: GET /no | "6\\r\\ndenied\\r\\n0\\r\\n\\r\\n"',
    show: body,
  },
  {
    name: 'an upgrade to h2c',
    send: `GET / HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n\r\n`,
    answers: {
      edge: '200: GET /',
      nginx: '403: GET / | upgrade: h2c',
      haproxy: '403: GET / | upgrade: h2c',
      why: 'nginx and HAProxy pass every upgrade on; the edge knows websockets alone',
    },
    show: header('upgrade'),
  },
];
