// Throws what no peer would send at a live bus over tcp, one kind after the other, and prints the resident memory
// before, at its highest and after. Ends with 1 where it grew by more than the bound of the line, or the bus no longer
// answers.
#include <rich_amphibus.h>

#include <amphibus/bus.hpp>
#include <amphibus/config/config.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <zmq.hpp>

#include "control.hpp"
#include "support/raw_zmtp.hpp"

using namespace amphibus;
using support::stranger;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

/// A line of /proc/self/status in MiB: VmRSS, VmHWM.
std::size_t memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1)) / 1024;
  }
  return 0;
}

void forget_highest() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// A bus that is process a of two; everybody else is us.
class target {
 public:
  target() : file_(two_processes()) {
    std::vector<std::unique_ptr<transport::transport>> transports;
    transports.push_back(zeromq::transport());
    bus_.emplace(file_, bus_options{.name = "a", .process = "a"}, std::move(transports));
    bus_->on_event([this](const event& what) { refused_ += what.kind == event_kind::rejected_input ? what.count : 0; });
    data_ = std::get<zeromq::hello>(greet()).data_endpoints.at(0);
  }
  /// Says hello as process b on a connection of its own. Returns: the answer, which proves that the bus is alive.
  zeromq::control_body greet() {
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvtimeo, 30'000);
    socket.connect(control());
    const auto bytes = hello_bytes();
    socket.send(zmq::const_buffer(bytes.data(), bytes.size()), zmq::send_flags::none);
    zmq::message_t frame;
    zeromq::control_message answer;
    if (!socket.recv(frame)) throw std::runtime_error("the bus does not answer");
    if (zeromq::decode({frame.data<std::byte>(), frame.size()}, answer) != nullptr)
      throw std::runtime_error("not a word");
    return answer.body;
  }
  [[nodiscard]] std::string hello_bytes() const {
    zeromq::hello out;
    out.process = "b";
    out.routes_digest = config::routes_digest(file_);
    out.data_endpoints = {"tcp://127.0.0.1:1"};
    return text(zeromq::encode({42, out}));
  }
  static std::string text(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  [[nodiscard]] const std::string& control() const { return file_.processes[0].endpoint.value; }
  [[nodiscard]] const std::string& data() const { return data_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  static config::configuration two_processes() {
    config::configuration out;
    zmq::context_t context;
    for (const char* const name : {"a", "b"}) {
      zmq::socket_t probe(context, zmq::socket_type::rep);
      probe.bind("tcp://127.0.0.1:*");
      config::process& made = out.processes.emplace_back();
      made.name = name;
      made.endpoint.value = probe.get(zmq::sockopt::last_endpoint);
    }
    config::route& all = out.routes.emplace_back();
    all.topic.value = "shop.>";
    all.transport.value = "zeromq";
    return out;
  }

  config::configuration file_;
  zmq::context_t context_;
  std::optional<bus> bus_;
  std::string data_;
  std::atomic<std::uint64_t> refused_{0};
};

struct attack {
  const char* what;
  std::size_t grows_max_mebibytes;
  std::function<std::string(target&)> run;  ///< how it ended
};

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes / mebibyte) + " MiB"; }

/// One part after the other of a message that never ends, each as large as the socket takes.
std::string endless(const std::string& endpoint, const char* as, std::size_t part_size) {
  stranger from(endpoint);
  from.greet(as);
  std::string part;
  while (part.size() < (std::size_t{64} << 10U)) part += stranger::frame(std::string(part_size, 'x'), true);
  std::size_t sent = 0;
  while (sent < 1024 * mebibyte && from.send(part)) sent += part.size();
  return sent < 1024 * mebibyte ? "cut after " + mebibytes(sent) : "1 GiB went through";
}

std::string endless_together(target& at) {
  std::vector<stranger> all;
  for (int i = 0; i != 50; ++i) all.emplace_back(at.control()).greet("DEALER");
  const std::string part = stranger::frame(std::string(std::size_t{64} << 10U, 'x'), true);
  std::size_t sent = 0;
  for (int round = 0; round != 320; ++round) {  // 20 MiB each
    for (auto& each : all) sent += each.send(part) ? part.size() : 0;
  }
  return "of 1000 MiB " + mebibytes(sent) + " were taken";
}

std::string hellos_on_one_connection(target& at) {
  stranger from(at.control());
  from.greet("DEALER");
  const std::string hello = stranger::frame(at.hello_bytes(), false);
  std::size_t count = 0;
  while (count != 500'000 && from.send(hello)) ++count;
  return std::to_string(count) + " hellos, nothing read";
}

std::string connections(target& at) {
  std::vector<stranger> open;
  const std::string hello = stranger::frame(at.hello_bytes(), false);
  int said = 0;
  for (int i = 0; i != 3'000; ++i) {
    if (open.size() == 200) open.clear();
    open.emplace_back(at.control()).greet("DEALER");
    said += open.back().send(hello) ? 1 : 0;
  }
  return std::to_string(said) + " connections with a hello each";
}

std::string topics(target& at) {
  stranger from(at.control());
  from.greet("DEALER");
  from.send(stranger::frame(at.hello_bytes(), false));
  for (std::uint64_t part = 0; part != 50; ++part) {
    zeromq::update some{part, {}, {}};
    for (int i = 0; i != 20'000; ++i) {
      some.topics.push_back({"shop." + std::to_string(part) + "." + std::to_string(i), 0, "order", 1, 1, true});
    }
    if (!from.send(stranger::frame(target::text(zeromq::encode({42, some})), false))) break;
  }
  return "a million topics announced";
}

std::string subscriptions(target& at) {
  stranger from(at.data());
  from.greet("SUB");
  std::size_t count = 0;
  for (std::string all; count != 1'000'000; all.clear()) {
    for (int i = 0; i != 1'000; ++i) {
      const std::string name = std::to_string(count++);
      all += stranger::frame('\x01' + name + std::string(200 - name.size(), 'x'), false);
    }
    if (!from.send(all)) return "cut after " + std::to_string(count) + " subscriptions of 200 bytes";
  }
  return "a million subscriptions went through";
}

std::string declared(target& at) {
  int cut = 0;
  for (const auto& [endpoint, as] :
       std::vector<std::pair<std::string, const char*>>{{at.control(), "DEALER"}, {at.data(), "SUB"}}) {
    stranger from(endpoint);
    from.greet(as);
    from.send(std::string("\x02\0\0\0\0\x80\0\0\0", 9) + std::string(1000, 'x'));
    from.wait_for_end();
    ++cut;
  }
  return std::to_string(cut) + " of 2 cut at once";
}

std::string rubbish(target& at) {
  std::mt19937_64 random(7);
  std::size_t sent = 0;
  for (int i = 0; i != 2'000; ++i) {
    std::string bytes(std::size_t{16} << 10U, '\0');
    for (char& each : bytes) each = static_cast<char>(random());
    stranger from(i % 2 == 0 ? at.control() : at.data());
    if (i % 4 < 2) from.greet("DEALER");
    sent += from.send(bytes) ? bytes.size() : 0;
  }
  return mebibytes(sent) + " of random bytes on 2,000 connections";
}

std::string shared_text(target&) {
  flatbuffers::FlatBufferBuilder out;
  const auto text = out.CreateString(std::string(2'000'000, 'x'));
  const auto words = out.CreateVector(std::vector<flatbuffers::Offset<flatbuffers::String>>(500'000, text));
  const auto title = out.CreateString("t");
  rich::EverythingBuilder message(out);
  message.add_title(title);
  message.add_words(words);
  out.Finish(message.Finish());
  rich::EverythingT into;
  const std::span bytes(reinterpret_cast<const std::byte*>(out.GetBufferPointer()), out.GetSize());
  return codec<rich::EverythingT>::decode(bytes, into) ? "taken" : "refused: 4 MB that would be a terabyte";
}

bool endure(target& at, const attack& what) {
  static_cast<void>(at.greet());
  const std::size_t before = memory("VmRSS");
  forget_highest();
  const std::string end = what.run(at);
  static_cast<void>(at.greet());  // behind everything: what came before is dealt with
  const std::size_t highest = memory("VmHWM");
  const bool good = highest <= before + what.grows_max_mebibytes;
  std::printf("%-4s %-52s %5zu -> %5zu -> %5zu MiB (at most +%zu): %s\n", good ? "ok" : "FAIL", what.what, before,
              highest, memory("VmRSS"), what.grows_max_mebibytes, end.c_str());
  std::fflush(stdout);
  return good;
}

}  // namespace

int main(int argc, char** argv) try {
  target at;
  const std::vector<attack> all{
      {"control: a message that never ends", 150, [](target& to) { return endless(to.control(), "DEALER", 64 << 10); }},
      {"control: 50 messages that never end", 150, endless_together},
      {"data: a message that never ends", 150, [](target& to) { return endless(to.data(), "SUB", 1'000); }},
      {"control and data: a frame of 2 GiB declared", 20, declared},
      {"control: hellos without end on one connection", 100, hellos_on_one_connection},
      {"control: a hello on every connection", 100, connections},
      {"data: a million subscriptions", 400, subscriptions},
      {"control and data: random bytes", 50, rubbish},
      {"control: a million topics", 150, topics},
      {"payload: text that 500,000 entries share", 50, shared_text},
  };
  std::printf("resident memory before -> highest -> after\n");
  int fell = 0;
  const std::string_view part = argc > 1 ? argv[1] : "";  // only what is named like this
  for (const attack& each : all) {
    if (std::string_view(each.what).find(part) != std::string_view::npos) fell += endure(at, each) ? 0 : 1;
  }
  std::printf("%llu inputs refused and counted\n", static_cast<unsigned long long>(at.refused()));
  return fell == 0 ? 0 : 1;
} catch (const std::exception& why) {
  std::fprintf(stderr, "%s\n", why.what());
  return 1;
}
