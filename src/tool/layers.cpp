#include "tool/text_lines.hpp"
#include "tool/text_options.hpp"

#include <sonde/packet/escape.hpp>
#include <sonde/packet/expression.hpp>
#include <sonde/packet/layer.hpp>
#include <sonde/packet/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace sonde::inline v0::tool {
namespace {

constexpr auto help = R"(Usage: sonde layers [LAYER...]

List the layers that packet expressions know, or the fields of some of them: name, width and default. A field
whose default is None is computed; one that tells probes apart has its default in packets that are sent alone.

Example: sonde layers TCP UDP
)";

std::string width_of(field_description const& f) {
    if (f.width == 0 || f.rule.width) return "varies";
    return fmt::format("{} bit{}", f.width, f.width == 1 ? "" : "s");
}

/// Automatic fields that hold something else than what is computed: what a packet has that is built alone.
field_content default_of(layer_description const& layer, std::size_t i) {
    auto const& f = layer.fields[i];
    auto content = layer.defaults[i];
    bool constant = f.automatic_value != 0 || f.rule.identity != identity_part::none;
    if (content.state == field_state::computed && constant)
        content.state = field_state::single, content.first = {0, f.automatic_value};
    return content;
}

std::string fields_of(layer_description const& layer) {
    std::string text;
    for (std::size_t i = 0; i < layer.fields.size(); ++i) {
        auto const& f = layer.fields[i];
        fmt::format_to(std::back_inserter(text), "{:<10} : {:<8} = ({})\n", f.name, width_of(f),
                       to_python(value_of(layer, i, default_of(layer, i))));
    }
    return text;
}

std::string names_of_all() {
    auto layers = known_layers();
    std::ranges::sort(layers, {}, &layer_description::name);
    std::string text;
    for (auto const* l : layers)
        fmt::format_to(std::back_inserter(text), "{:<10} : {}\n", l->name, l->title());
    return text;
}

}  // namespace

int run_layers(std::vector<std::string> const& arguments, text_streams const& streams) {
    return with_usage("layers", streams, [&] {
        auto const options = parse_text_options(arguments, " ");
        if (options.help) return streams.out << help, 0;
        text_lines lines(streams, false);
        if (options.rest.empty()) lines.write(names_of_all());
        for (auto const& name : options.rest)
            lines.guard([&] {
                auto const* layer = find_layer(name);
                if (!layer) throw error(errc::no_such_layer, fmt::format("no layer {}", escape(name)));
                lines.write(fields_of(*layer));
            });
        auto status = lines.exit_status();
        return status == 1 ? 2 : status;  // a name that is none, as elsewhere
    });
}

int run_layers(std::vector<std::string> const& arguments) {
    return on_standard_streams(run_layers, arguments);
}

}  // namespace sonde::inline v0::tool
