// A Node server for test_real_servers: `node node_server.js DIRECTORY CERTIFICATE KEY AUTHORITY FD...`.
// The descriptors listen already: plain HTTP, TLS, and one whose connections end soon.
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const https = require("https");
const zlib = require("zlib");

const [directory, certificate, key, authority, ...descriptors] = process.argv.slice(2);
const file = (name) => fs.readFileSync(`${directory}/${name}`);
const TAG = '"a-tag"';

function serveFile(request, response, name) {
  const body = file(name);
  const headers = { ETag: TAG, "Content-Type": "text/plain", "Accept-Ranges": "bytes" };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range || "");
  if (request.headers["if-none-match"] === TAG) {
    response.writeHead(304, headers).end();
  } else if (range && Number(range[1]) >= body.length) {
    response.writeHead(416, { "Content-Range": `bytes */${body.length}` }).end();
  } else if (range) {
    const first = Number(range[1]);
    const last = Math.min(range[2] ? Number(range[2]) : body.length - 1, body.length - 1);
    headers["Content-Range"] = `bytes ${first}-${last}/${body.length}`;
    headers["Content-Length"] = last - first + 1;
    response.writeHead(206, headers).end(body.subarray(first, last + 1));
  } else {
    headers["Content-Length"] = body.length;
    response.writeHead(200, headers).end(body);
  }
}

function upload(request, response) {
  const hash = crypto.createHash("sha256");
  request.on("data", (data) => hash.update(data));
  request.on("end", () => response.end(hash.digest("hex")));
}

function answer(request, response) {
  response.setHeader("X-Port", request.socket.remotePort);
  const paths = {
    "/plain.txt": () => serveFile(request, response, "plain.txt"),
    "/large.bin": () => serveFile(request, response, "large.bin"),
    "/packed.txt": () => {
      response.setHeader("Content-Encoding", "gzip");
      response.end(zlib.gzipSync(file("packed.txt")));
    },
    "/chunked.html": () => {
      response.write("one ");
      setImmediate(() => response.end("two"));
    },
    "/upload": () => upload(request, response),
    "/redirect": () => response.writeHead(302, { Location: "/plain.txt" }).end(),
    "/login": () => {
      response.setHeader("Set-Cookie", ["a=1; Path=/", "b=2; Path=/; HttpOnly"]);
      response.end("welcome");
    },
    "/cookies": () => response.end(request.headers.cookie || ""),
    "/client": () => response.end(request.socket.authorized ? "SUCCESS" : "NONE"),
  };
  const serve = paths[new URL(request.url, "http://localhost").pathname];
  if (serve) {
    serve();
  } else {
    response.writeHead(404).end("nothing here");
  }
}

// keepAliveTimeout is not it: newer releases wait a second longer than they say.
function briefly(request, response) {
  const socket = request.socket;
  clearTimeout(socket.idle);
  response.on("finish", () => {
    socket.idle = setTimeout(() => socket.end(), 30);
  });
  answer(request, response);
}

const tls = { cert: file(certificate), key: file(key), ca: file(authority), requestCert: true };
const servers = [
  http.createServer(answer),
  https.createServer({ ...tls, rejectUnauthorized: false }, answer),
  http.createServer(briefly),
];
servers[2].maxRequestsPerSocket = 3;
servers.forEach((server, index) => server.listen({ fd: Number(descriptors[index]) }));
