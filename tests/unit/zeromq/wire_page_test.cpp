// The bytes that docs/wire.md shows are those that we send.
#include "control.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <sstream>

#include <amphibus/wire/frame.hpp>

using namespace amphibus;

namespace {

/// The bytes of each ```hex block of the page: what stands before the first two spaces of each line.
std::vector<std::string> hex_blocks() {
  std::ifstream page(WIRE_PAGE);
  std::vector<std::string> out;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) {
      inside = line == "```hex";
      if (inside) out.emplace_back();
    } else if (inside) {
      out.back() += (out.back().empty() ? "" : " ") + line.substr(0, line.find("  "));
    }
  }
  return out;
}

std::string hex_of(std::span<const std::byte> bytes) {
  std::ostringstream out;
  for (const std::byte each : bytes) {
    if (out.tellp() != 0) out << ' ';
    const auto value = std::to_integer<unsigned>(each);
    out << "0123456789abcdef"[value >> 4U] << "0123456789abcdef"[value & 15U];
  }
  return out.str();
}

bool encode_text(const void* value, wire::byte_writer& out) {
  const auto& text = *static_cast<const std::string*>(value);
  out.append(text.data(), text.size());
  return true;
}
bool decode_nothing(std::span<const std::byte>, void*) { return true; }
constexpr wire::codec_operations text_codec{"text", 1, 0x1111, &encode_text, &decode_nothing};

}  // namespace

TEST_CASE("wire page: the batch that it shows is what we send", "[zeromq]") {
  const auto blocks = hex_blocks();
  REQUIRE(blocks.size() == 2);
  constexpr std::uint64_t producer = 0x0102030405060708;
  wire::batch_writer out;
  out.begin({wire::batch_kind::messages, producer, 7, 0x1111});
  const std::string first = "abc";
  const std::string second = "defgh";
  REQUIRE(out.add(wire::first_envelope({{producer, 1}, 41}), text_codec, &first, 100));
  REQUIRE(out.add(wire::first_envelope({{producer, 1}, 42}), text_codec, &second, 100));
  CHECK(hex_of(out.finish()) == blocks[0]);
}

TEST_CASE("wire page: the smallest hello that it shows is what we understand", "[zeromq]") {
  const auto blocks = hex_blocks();
  REQUIRE(blocks.size() == 2);
  zeromq::hello smallest;
  smallest.process = "reader";
  smallest.data_endpoints = {"tcp://127.0.0.1:20002"};
  smallest.revision = 1;
  smallest.patterns = {{"shop.>", "", 0}};
  const auto bytes = zeromq::encode({0x1122334455667788, smallest});
  CHECK(hex_of(bytes) == blocks[1]);
  zeromq::control_message back;
  CHECK(zeromq::decode(bytes, back) == nullptr);
}
