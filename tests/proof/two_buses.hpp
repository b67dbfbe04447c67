#pragma once

// Two processes of a file in one program, so that an address of the one means something to the other.
#include <stdexcept>
#include <string>
#include <thread>

#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/testing/conformance.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "support/folder.hpp"

namespace proof {

enum class over { ipc, tcp };

inline std::string endpoint(over what, const char* name) {
  if (what == over::tcp) return amphibus::testing::free_tcp_endpoint();
  static int next = 0;
  return "ipc://" + (support::folder_of_process() / (std::to_string(++next) + name)).string();
}

inline amphibus::config::configuration file_of(over what) {
  const std::string text = "[process.near]\nendpoint = \"" + endpoint(what, "near") +
                           "\"\n[process.far]\nendpoint = \"" + endpoint(what, "far") +
                           "\"\n[[route]]\ntopic = \"proof.>\"\ntransport = \"zeromq\"\n";
  auto loaded = amphibus::config::load_text(text, "two_buses", {.modules = {}, .transports = {"zeromq"}});
  if (!loaded.errors.empty()) throw loaded.errors[0];
  return std::move(loaded.value);
}

/// What is published at `near` arrives at `far`: subscribe there, then make_ready().
struct two_buses {
  explicit two_buses(over what) : file(file_of(what)) {}
  void make_ready() {
    std::jthread other([this] { far.wait_until_ready(); });
    near.wait_until_ready();
  }

  amphibus::config::configuration file;
  amphibus::bus near{file, {.process = "near"}, amphibus::transports(amphibus::zeromq::transport())};
  amphibus::bus far{file, {.process = "far"}, amphibus::transports(amphibus::zeromq::transport())};
};

}  // namespace proof
