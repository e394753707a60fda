#pragma once

#include <sonde/packet/match.hpp>

#include <boost/container/static_vector.hpp>

namespace sonde::inline v0::detail {

/// The first layer above the link's, or none.
layer_view network_layer_of(packet_view const& p);

/// As `answer_keys`, of probes to one or of those to a group, each finished when it is asked for: most often
/// the innermost is the one.
struct open_keys {
    boost::container::static_vector<key_builder, answer_keys::most>
        each;  ///< none: nothing that could answer
    bool is_error = false;
};

/// Into `open`, which has none yet.
void find_keys_of_answer(packet_view const& received, secret_key const& secret, bool relaxed, bool to_many,
                         open_keys& open);
inline open_keys open_keys_of_answer(packet_view const& received, secret_key const& secret, bool relaxed,
                                     bool to_many) {
    open_keys open;
    find_keys_of_answer(received, secret, relaxed, to_many, open);
    return open;
}

}  // namespace sonde::inline v0::detail
