package darkroom.gpuworkers.text;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import darkroom.config.Precision;

/** Token ids on their way into an encoder. */
final class TokenIds {
    private TokenIds() {}

    static void check(long[] ids, int vocabulary, int lengthMax) {
        if (ids.length < 1 || ids.length > lengthMax) {
            throw new IllegalArgumentException("%d token ids, expected 1 to %d: the encoder has no more positions"
                    .formatted(ids.length, lengthMax));
        }
        for (long id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new IllegalArgumentException(
                        "token id %d, but vocab_size=%d; tokenizer and encoder are of different models"
                                .formatted(id, vocabulary));
            }
        }
    }

    /** Returns INT64 [1, ids]. */
    static NDArray array(NDManager scope, long[] ids) {
        return scope.create(ids, new Shape(1, ids.length));
    }

    /** Returns the constant of {@link darkroom.gpuworkers.torchscript.TorchScriptSource} for an element type. */
    static String scalarType(Precision precision) {
        return precision.isBf16() ? "15" : "6";
    }
}
