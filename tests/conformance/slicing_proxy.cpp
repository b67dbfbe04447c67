#include "slicing_proxy.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr std::size_t waiting_max_bytes = 65'536;
constexpr std::size_t handshake_max_bytes = 300;
constexpr std::uint64_t tiny_until_bytes = 4'096;  // greetings and handshakes of the protocol above: byte by byte
constexpr std::size_t tiny_max_bytes = 16;
constexpr std::size_t slice_max_bytes = 8'192;
constexpr char greeted = 'g';  // first byte of a request whose greeting is answered
constexpr char held = 'h';     // and of one whose target is not there

void no_delay(int socket) {
  const int one = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

}  // namespace

slicing_proxy::slicing_proxy(std::uint64_t seed) : random_(seed) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0 || ::pipe(alive_) != 0) {
    throw std::system_error(errno, std::generic_category(), "the slicing proxy cannot listen");
  }
  address_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  child_ = ::fork();
  if (child_ == 0) {
    ::close(alive_[1]);
    run();
    ::_exit(0);
  }
  ::close(alive_[0]);
  ::close(listener_);
}

slicing_proxy::~slicing_proxy() {
  ::close(alive_[1]);
  ::waitpid(child_, nullptr, 0);
}

void slicing_proxy::run() {
  for (;;) {
    std::vector<pollfd> watched{{alive_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const connection& each : connections_) {
      if (each.server < 0) {
        watched.push_back({each.client, POLLIN, 0});
        continue;
      }
      for (const direction* one : {&each.out, &each.back}) {
        if (!one->ended && one->waiting.size() < waiting_max_bytes) watched.push_back({one->from, POLLIN, 0});
        if (!one->waiting.empty()) watched.push_back({one->to, POLLOUT, 0});
      }
    }
    ::poll(watched.data(), watched.size(), -1);
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0) accept_one();
    for (connection& each : connections_) work(each);
    connections_.remove_if([](connection& each) {
      const bool over = each.broken || (each.out.closed && each.back.closed);
      if (over) close(each);
      return over;
    });
  }
}

void slicing_proxy::accept_one() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client < 0) return;
  no_delay(client);
  connections_.emplace_back().client = client;
}

void slicing_proxy::work(connection& of) {
  if (of.server < 0) {
    of.broken = !handshake(of);
    return;
  }
  for (direction* each : {&of.out, &of.back}) {
    read_some(*each);
    forward_slice(*each);
    if (each->from < 0) of.broken = true;
  }
}

bool slicing_proxy::handshake(connection& of) {
  char more[handshake_max_bytes];
  const ssize_t got = ::recv(of.client, more, sizeof more, 0);
  if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
  if (got < 0) return true;
  of.request.insert(of.request.end(), more, more + got);
  auto& in = of.request;
  if (in.size() > handshake_max_bytes) return false;
  if (in.size() >= 2 && in[0] == 5 && in.size() == 2U + static_cast<unsigned char>(in[1])) {  // greeting: no password
    ::send(of.client, "\x05\x00", 2, MSG_NOSIGNAL);
    in.assign(1, greeted);
    return true;
  }
  if (in.empty() || in[0] != greeted || in.size() < 6) return true;
  const char* const request = in.data() + 1;  // 5, connect, 0, kind of address, address, port
  const std::size_t size = in.size() - 1;
  const std::size_t length = static_cast<unsigned char>(request[4]);
  if (request[3] == 1 && size == 10) return connect_to(of, request + 4, request + 8);
  if (request[3] == 3 && size == 7 + length) {
    const std::string name(request + 5, length);
    const bool loopback = name == "127.0.0.1" || name == "localhost";
    return loopback && connect_to(of, "\x7f\x00\x00\x01", request + 5 + length);
  }
  return request[3] == 1 || request[3] == 3;
}

bool slicing_proxy::connect_to(connection& of, const char* address, const char* port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  std::memcpy(&to.sin_addr, address, 4);
  std::memcpy(&to.sin_port, port, 2);
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(server, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {  // loopback: answers at once
    // Never refuse: libzmq 4.3.4 aborts if a socket is closed between a refusal and its next attempt (socks_connecter
    // removes its descriptor twice). Who connects waits until it gives up by itself.
    of.request.assign(1, held);
    return ::close(server), true;
  }
  const char answer[] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  ::send(of.client, answer, sizeof answer, MSG_NOSIGNAL);
  no_delay(server);
  of.server = server;
  of.out.from = of.back.to = of.client;
  of.out.to = of.back.from = server;
  return true;
}

void slicing_proxy::read_some(direction& of) {
  if (of.ended || of.waiting.size() >= waiting_max_bytes) return;
  char more[16'384];
  const ssize_t got = ::recv(of.from, more, sizeof more, MSG_DONTWAIT);
  if (got > 0) of.waiting.insert(of.waiting.end(), more, more + got);
  if (got == 0 || (got < 0 && errno != EAGAIN)) of.ended = true;
}

std::size_t slicing_proxy::slice_of(const direction& of) {
  const bool tiny = of.forwarded < tiny_until_bytes || random_() % 8 == 0;
  return 1 + random_() % (tiny ? tiny_max_bytes : slice_max_bytes);
}

void slicing_proxy::forward_slice(direction& of) {
  if (of.begin != of.waiting.size()) {
    const std::size_t some = std::min(slice_of(of), of.waiting.size() - of.begin);
    const ssize_t sent = ::send(of.to, of.waiting.data() + of.begin, some, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
      of.from = -1;  // nobody takes it: the connection is over
      return;
    }
    of.begin += sent > 0 ? static_cast<std::size_t>(sent) : 0;
    of.forwarded += sent > 0 ? static_cast<std::uint64_t>(sent) : 0;
  }
  if (of.begin != of.waiting.size()) return;
  of.waiting.clear();
  of.begin = 0;
  if (!of.ended || of.closed) return;
  ::shutdown(of.to, SHUT_WR);
  of.closed = true;
}

void slicing_proxy::close(connection& of) {
  ::close(of.client);
  if (of.server >= 0) ::close(of.server);
}
