// Where a flat<T> lies, from the builder or the transport to the handler, and who copied how much on the way: every
// memcpy and memmove of 256 bytes or more in this program is counted, libzmq's included (copies.cpp).
#include <amphibus/bus.hpp>
#include <amphibus/wire/flat.hpp>

#include <reading_amphibus.h>

#include <atomic>
#include <cstdio>
#include <semaphore>

#include "bench/gates/allocations.hpp"
#include "copies.hpp"
#include "two_buses.hpp"

using amphibus::flat;
using proof::Reading;

namespace {

std::atomic<std::uint64_t> encoded{0};
std::atomic<std::uint64_t> encoded_bytes{0};
std::atomic<std::uint64_t> decoded{0};
std::atomic<std::uint64_t> in_frame{0};  ///< read where the transport showed it, and holding the frame

}  // namespace

// The codec of flat, looked over its shoulder; where the transport's span lies in libzmq's message is a unit test
// (kept_frame_test.cpp).
template <>
struct amphibus::codec<flat<Reading>> : amphibus::wire::flat_codec<Reading> {
  using base = amphibus::wire::flat_codec<Reading>;
  static bool encode(const flat<Reading>& from, wire::byte_writer& out) {
    proof::thread_role = proof::role::sender;
    ++encoded;
    encoded_bytes += from.bytes().size();
    return base::encode(from, out);
  }
  static bool decode(std::span<const std::byte> bytes, flat<Reading>& into) { return base::decode(bytes, into); }
  static bool decode(std::span<const std::byte> bytes, wire::shared_buffer& owner, flat<Reading>& into) {
    proof::thread_role = proof::role::receiver;
    if (!base::decode(bytes, owner, into)) return false;
    ++decoded;
    in_frame += into.bytes().data() == bytes.data() && !owner.is_unique() ? 1U : 0U;
    return true;
  }
};

namespace {

constexpr amphibus::topic<flat<Reading>> readings{"proof.readings", amphibus::with_codec};

/// A reading of about `size` bytes, written in place.
flat<Reading> reading_of(std::uint64_t id, std::size_t size) {
  return flat<Reading>::build([&](flatbuffers::FlatBufferBuilder& b) {
    double* values = nullptr;
    const std::size_t count = size / sizeof(double);
    const auto all = b.CreateUninitializedVector(count, &values);
    for (std::size_t i = 0; i != count; ++i) values[i] = static_cast<double>(id);
    return proof::CreateReading(b, id, 0, 0, all);
  });
}

bool in_one_process() {
  constexpr int messages = 2'000;
  amphibus::bus bus;
  amphibus::loop here;
  const Reading* built = nullptr;
  int same = 0;
  std::vector<amphibus::subscription> kept;
  for (int i = 0; i != 3; ++i) {
    kept.push_back(
        bus.subscribe(readings, {.on = here}, [&](const flat<Reading>& r) { same += &*r == built ? 1 : 0; }));
  }
  auto out = bus.publisher(readings);
  proof::copied_bytes before;
  std::uint64_t allocated = 0;
  for (int i = -messages; i != messages; ++i) {  // the first half fills the pools
    if (i == 0) {
      before = proof::copies();
      allocated = bench::allocations();
      same = 0;
    }
    auto reading = reading_of(1, 1'024);
    built = &*reading;
    out.publish(std::move(reading));
    here.run_until_idle();
  }
  const auto copied = (proof::copies() - before).ours[0] + (proof::copies() - before).libzmq;
  allocated = bench::allocations() - allocated;
  std::printf(
      "in-process, 3 subscribers, %d messages: %d of %d handlers at the builder's address, "
      "%llu bytes copied, %llu allocations\n",
      messages, same, 3 * messages, static_cast<unsigned long long>(copied),
      static_cast<unsigned long long>(allocated));
  return same == 3 * messages && copied == 0 && allocated == 0;
}

/// `burst` messages at a time, which travel in one batch or a few.
bool between_processes(proof::over what, std::size_t size, int burst) {
  constexpr int rounds = 200;
  proof::two_buses both(what);
  std::counting_semaphore<> handled{0};
  std::atomic<int> right{0};
  auto sub = both.far.subscribe(readings, [&](const flat<Reading>& r) {
    right += r->values()->Get(r->values()->size() - 1) == static_cast<double>(r->id()) ? 1 : 0;
    handled.release();
  });
  auto out = both.near.publisher(readings);
  both.make_ready();
  const auto before = proof::copies();
  const std::uint64_t bytes = encoded_bytes;
  const std::uint64_t count = decoded;
  const std::uint64_t inside = in_frame;
  for (int round = 0; round != rounds; ++round) {
    for (int i = 0; i != burst; ++i) out.publish(reading_of(static_cast<std::uint64_t>(i), size));
    for (int i = 0; i != burst; ++i) handled.acquire();
  }
  const auto copied = proof::copies() - before;
  const auto per_byte = [&](std::uint64_t of) {
    return static_cast<double>(of) / static_cast<double>(encoded_bytes - bytes);
  };
  std::printf(
      "%s, %5zu bytes, %3d at a time: %llu of %llu tables in the transport's frame; copied per byte of message: "
      "sending %.2f, receiving %.2f, inside libzmq %.2f\n",
      what == proof::over::tcp ? "tcp" : "ipc", size, burst, static_cast<unsigned long long>(in_frame - inside),
      static_cast<unsigned long long>(decoded - count), per_byte(copied.ours[1]), per_byte(copied.ours[2]),
      per_byte(copied.libzmq));
  const bool large = size > 8'192;  // libzmq receives these into memory of their own, which is aligned
  return in_frame - inside == decoded - count && right == rounds * burst && (!large || copied.ours[2] == 0) &&
         per_byte(copied.ours[2]) < 1.2;
}

}  // namespace

int main() {
  bool all = in_one_process();
  for (const auto what : {proof::over::ipc, proof::over::tcp}) {
    all = between_processes(what, 1'024, 1) && all;
    all = between_processes(what, 1'024, 64) && all;
    all = between_processes(what, 65'536, 1) && all;
  }
  std::printf(
      "sending copies once, into the buffer that libzmq sends (small frames once more); receiving copies only frames "
      "that libzmq put where they are not 8-aligned\n");
  return all ? 0 : 1;
}
