package darkroom.rewardactors.client;

import darkroom.rewardactors.protocol.ScorerFault;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of an answer up to a bound, and none at all of a body that would be rejected: an encoded one (it may be a
 * bomb), or one declared as other than JSON.
 */
final class BoundedBody implements BodySubscriber<BoundedBody.Content> {
    /** Bytes that are read of a refusal: enough for its message. */
    private static final int REFUSAL_BYTES_MAX = 16 << 10;

    private final CompletableFuture<Content> content = new CompletableFuture<>();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final int bytesMax;
    private final @Nullable ScorerFault refusal;
    private Flow.@Nullable Subscription subscription;

    /** Content of the body: the bytes, or why they were not read. */
    sealed interface Content {
        /** @param bytes read-only */
        record Whole(ByteBuffer bytes) implements Content {}

        record NotTaken(ScorerFault fault) implements Content {}
    }

    private BoundedBody(int bytesMax, @Nullable ScorerFault refusal) {
        this.bytesMax = bytesMax;
        this.refusal = refusal;
    }

    static Handler handler(int bytesMax) {
        return new Handler(bytesMax);
    }

    /** Handler of one answer: knows whether its head has arrived. */
    static final class Handler implements BodyHandler<Content> {
        private final int bytesMax;
        private volatile boolean head;

        private Handler(int bytesMax) {
            this.bytesMax = bytesMax;
        }

        boolean hasHead() {
            return head;
        }

        @Override
        public BodySubscriber<Content> apply(ResponseInfo answer) {
            head = true;
            if (answer.statusCode() != 200) {
                return new BoundedBody(REFUSAL_BYTES_MAX, encoded(answer).orElse(null));
            }
            return new BoundedBody(
                    bytesMax,
                    encoded(answer)
                            .or(() -> notJson(answer))
                            .or(() -> tooLarge(answer, bytesMax))
                            .orElse(null));
        }
    }

    private static Optional<ScorerFault> encoded(ResponseInfo head) {
        return head.headers()
                .firstValue("Content-Encoding")
                .filter(encoding -> !encoding.isBlank() && !encoding.strip().equalsIgnoreCase("identity"))
                .map(encoding ->
                        ScorerFault.passing("encoded", "the answer came encoded as " + encoding + ", unasked"));
    }

    private static Optional<ScorerFault> notJson(ResponseInfo head) {
        return head.headers()
                .firstValue("Content-Type")
                .filter(type -> !type.toLowerCase(Locale.ROOT).contains("json"))
                .map(type -> ScorerFault.passing("content-type", "the answer is " + type + ", not JSON"));
    }

    private static Optional<ScorerFault> tooLarge(ResponseInfo head, int bytesMax) {
        return head.headers()
                .firstValue("Content-Length")
                .filter(length -> !length.strip().matches("\\d{1,9}") || Integer.parseInt(length.strip()) > bytesMax)
                .map(length -> tooLarge("announces " + length, bytesMax));
    }

    private static ScorerFault tooLarge(String what, int bytesMax) {
        return ScorerFault.passing("too-large", "the answer " + what + " bytes; at most " + bytesMax + " are read");
    }

    @Override
    public void onSubscribe(Flow.Subscription started) {
        subscription = started;
        if (refusal != null) {
            started.cancel();
            content.complete(new Content.NotTaken(refusal));
        } else {
            started.request(Long.MAX_VALUE);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            if (content.isDone()) {
                return;
            }
            if (bytes.size() + buffer.remaining() > bytesMax) {
                if (subscription != null) {
                    subscription.cancel();
                }
                content.complete(new Content.NotTaken(tooLarge("has more than " + bytesMax, bytesMax)));
                return;
            }
            byte[] part = new byte[buffer.remaining()];
            buffer.get(part);
            bytes.writeBytes(part);
        }
    }

    @Override
    public void onError(Throwable error) {
        content.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
        content.complete(new Content.Whole(ByteBuffer.wrap(bytes.toByteArray()).asReadOnlyBuffer()));
    }

    @Override
    public CompletionStage<Content> getBody() {
        return content;
    }
}
