#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <amphibus/base/fault.hpp>
#include <amphibus/transport/transport.hpp>

#pragma GCC visibility push(default)
namespace amphibus::zeromq {

/// What the ZeroMQ transport can choose; all with defaults.
struct options {
  /// Silence on a control link after which a PING goes out. A peer is lost after two of them.
  std::chrono::nanoseconds ping_interval = std::chrono::seconds(5);
  /// How long the last number of an idle stream waits before it is repeated once, so that a lost tail is seen.
  std::chrono::nanoseconds idle_repeat_after = std::chrono::milliseconds(100);
  /// How much may wait inside libzmq for each peer and route, and as much again where it arrives. A route that blocks
  /// counts bytes, of all its peers together; else frames, or a larger message, count. A frame has up to 128 KiB, and
  /// up to a 64th of this but not more than 512 KiB where the route blocks. Less memory, and less on its way when a
  /// peer stops, for less to smooth its pauses with. 256 KiB to 1 GiB, best the same everywhere; below 4 MiB the
  /// buffers that the system has for a connection of tcp are asked to be no larger either.
  std::size_t pipe_max_bytes = std::size_t{32} << 20U;
  /// Allows tcp endpoints beyond loopback although this version neither authenticates nor encrypts.
  bool allow_plain_network = false;
  /// How many observers (`amphibus tap`) may look on at this process at once; 0: none. Each takes at most 16 MiB here.
  std::size_t observers_max = 4;
  /// `HOST:PORT` of a SOCKS5 proxy without password, through which every tcp connection to a peer goes; empty: none.
  /// For tests: libzmq 4.3.4 ends the process if a session is closed soon after the proxy refused a connection, so use
  /// only one that never does.
  std::string socks_proxy = {};
  /// Fault point "zeromq.deliver": every received message, behind the sequence check. For tests and demos.
  base::fault_hook* faults = nullptr;
};

/// The transport `zeromq`: level best_effort, endpoints tcp://HOST:PORT and ipc://PATH. See
/// transports/zeromq/README.md.
std::unique_ptr<amphibus::transport::transport> transport(const options& with = {});

}  // namespace amphibus::zeromq
#pragma GCC visibility pop
