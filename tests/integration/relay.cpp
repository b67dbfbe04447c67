// Three modules in a row, placed by a file: counts what arrives at the end, checks order and correlation. The first
// makes topics as it goes, which the last finds by a pattern.
#include <amphibus/app.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include <cstdio>
#include <cstring>
#include <string>

struct number {
  std::uint64_t value;
  bool last;
};

template <>
struct amphibus::codec<number> {
  static constexpr std::string_view type_name = "test.number";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static bool encode(const number& from, wire::byte_writer& out) {
    const std::uint64_t fields[2] = {from.value, from.last ? 1U : 0U};
    out.append(fields, sizeof fields);
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, number& into) {
    std::uint64_t fields[2];
    if (bytes.size() != sizeof fields) return false;
    std::memcpy(fields, bytes.data(), sizeof fields);
    into = {fields[0], fields[1] != 0};
    return fields[1] <= 1;
  }
};

namespace {

constexpr amphibus::topic<number> raw{"relay.raw"};
constexpr amphibus::topic<number> doubled{"relay.doubled"};
constexpr amphibus::pattern<number> sites{"relay.site.*"};
constexpr std::uint64_t site_count = 100;
std::uint64_t count_wanted = 1000;

void start_feed(amphibus::module& m) {
  m.run([&m](std::stop_token) {
    auto out = m.publisher(raw);
    for (std::uint64_t i = 1; i <= site_count; ++i) {
      m.bus().publish(m.bus().make_topic<number>("relay.site." + std::to_string(i)).value(), {i, false});
    }
    for (std::uint64_t i = 1; i <= count_wanted; ++i) out.publish({i, i == count_wanted});
  });
  // The end comes back around, so that every process can leave.
  m.subscribe(doubled, [&m](const number& n) {
    if (n.last) m.done();
  });
}

void start_relay(amphibus::module& m) {
  m.subscribe(raw, [&m](const number& n) {
    m.bus().publish(doubled, {n.value * 2, n.last});
    if (n.last) m.done();
  });
}

struct tally {
  std::uint64_t count = 0;
  std::uint64_t previous = 0;
  bool ordered = true;
  bool caused = true;
  bool complete = false;
  std::uint64_t sites = 0;

  [[nodiscard]] bool finished() const {
    if (!complete || sites != site_count) return false;
    std::printf("count %llu ordered %d caused %d sites %llu\n", static_cast<unsigned long long>(count), ordered, caused,
                static_cast<unsigned long long>(sites));
    std::fflush(stdout);
    return true;
  }
};

void start_tally(amphibus::module& m) {
  auto& seen = m.make<tally>();
  m.subscribe(doubled, [&](const number& n, const amphibus::context& with) {
    seen.ordered = seen.ordered && n.value == seen.previous + 2;
    seen.caused = seen.caused && with.causation() && with.correlation() == with.causation() && with.lost_before() == 0;
    seen.previous = n.value;
    ++seen.count;
    seen.complete = seen.complete || n.last;
    if (n.last && seen.finished()) m.done();
  });
  m.subscribe(sites, [&](const number&) {
    ++seen.sites;
    if (seen.finished()) m.done();
  });
}

}  // namespace

int main(int argc, char** argv) {
  amphibus::app relay{argc, argv};
  if (!relay.arguments().empty()) count_wanted = std::stoull(relay.arguments()[0]);
  relay.transport(amphibus::zeromq::transport());
  relay.module("feed", start_feed);
  relay.module("relay", start_relay);
  relay.module("tally", start_tally);
  return relay.run();
}
