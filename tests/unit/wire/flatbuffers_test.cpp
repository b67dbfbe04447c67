#include <amphibus/topic.hpp>

#include <sample_amphibus.h>

#include <flatbuffers/reflection.h>

#include <catch2/catch.hpp>

#include <vector>

using amphibus::codec;
using sample::OrderT;

namespace {

constexpr amphibus::topic<OrderT> orders{"sample.orders"};

OrderT sample_order() {
  OrderT order;
  order.id = 7;
  order.customer = "ann";
  order.items.push_back(std::make_unique<sample::ItemT>());
  order.items[0]->sku = "85123A";
  order.items[0]->count = 6;
  return order;
}

}  // namespace

TEST_CASE("flatbuffers: the generated codec is captured with name, major and hash", "[wire]") {
  REQUIRE(orders.codec() != nullptr);
  CHECK(orders.codec()->type_name == "sample.Order");
  CHECK(orders.codec()->major == 3);
  CHECK(orders.codec()->schema_hash != codec<sample::ItemT>::schema_hash);
}

TEST_CASE("flatbuffers: the codec takes its constants from the table's traits", "[wire]") {
  using traits = amphibus::wire::table_traits<sample::Order>;
  CHECK(traits::type_name == codec<OrderT>::type_name);
  CHECK(traits::major == 3);
  CHECK(traits::schema_hash == codec<OrderT>::schema_hash);
}

TEST_CASE("flatbuffers: the embedded schema describes every table of its file", "[wire]") {
  const std::string_view bytes = orders.codec()->binary_schema;
  CHECK(bytes.data() == codec<sample::ItemT>::binary_schema.data());
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  REQUIRE(reflection::VerifySchemaBuffer(verifier));
  const auto* schema = reflection::GetSchema(bytes.data());
  CHECK(schema->objects()->LookupByKey("sample.Order") != nullptr);
  CHECK(schema->objects()->LookupByKey("sample.Item") != nullptr);
}

TEST_CASE("flatbuffers: what is encoded is decoded", "[wire]") {
  amphibus::wire::byte_writer out;
  REQUIRE(codec<OrderT>::encode(sample_order(), out));
  OrderT back;
  REQUIRE(codec<OrderT>::decode(out.bytes(), back));
  CHECK(back.customer == "ann");
  REQUIRE(back.items.size() == 1);
  CHECK(back.items[0]->sku == "85123A");
}

TEST_CASE("flatbuffers: a buffer cut at any byte is refused or harmless", "[wire]") {
  amphibus::wire::byte_writer out;
  REQUIRE(codec<OrderT>::encode(sample_order(), out));
  std::size_t refused = 0;
  for (std::size_t size = 0; size != out.size(); ++size) {
    const std::vector<std::byte> cut(out.bytes().begin(), out.bytes().begin() + static_cast<std::ptrdiff_t>(size));
    OrderT back;
    refused += codec<OrderT>::decode(cut, back) ? 0U : 1U;
  }
  CHECK(refused > out.size() / 2);
}

TEST_CASE("flatbuffers: tables nested deeper than the limit are refused", "[wire]") {
  auto order = std::make_unique<OrderT>();
  for (int i = 0; i != 40; ++i) {
    auto outer = std::make_unique<OrderT>();
    outer->parent = std::move(order);
    order = std::move(outer);
  }
  amphibus::wire::byte_writer out;
  REQUIRE(codec<OrderT>::encode(*order, out));
  OrderT back;
  CHECK_FALSE(codec<OrderT>::decode(out.bytes(), back));
}
