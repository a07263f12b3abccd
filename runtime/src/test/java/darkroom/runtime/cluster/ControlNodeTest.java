package darkroom.runtime.cluster;

import com.typesafe.config.ConfigFactory;
import darkroom.actors.device.Prompt;
import darkroom.actors.device.PromptSource;
import darkroom.actors.events.StopWhen;
import darkroom.actors.run.RunPorts;
import darkroom.actors.statistics.PromptBan;
import darkroom.actors.workqueue.DevicePool;
import darkroom.config.Recipes;
import darkroom.config.RunSettings;
import darkroom.runtime.run.LocalActorSystem;
import darkroom.runtime.run.RunEnvironment;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A control node in this process, without a run. */
final class ControlNodeTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    /** A run that has no prompt: it is never started. */
    private static final class NoPrompts implements PromptSource {
        @Override
        public List<Prompt> prompts(int step, PromptBan ban) {
            throw new IllegalStateException("no step is run");
        }

        @Override
        public void release(List<Prompt> prompts) {}
    }

    private static void awaitOnPage(HttpClient http, String url, String... texts)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        AtomicReference<String> page = new AtomicReference<>("");
        CommandProcess.until(
                "the status page has " + List.of(texts),
                SOON,
                () -> {
                    page.set(http.send(request, HttpResponse.BodyHandlers.ofString())
                            .body());
                    return Stream.of(texts).allMatch(page.get()::contains);
                },
                page::get);
    }

    /** V4: also while a stage begins after the request to end. */
    @Test
    void a_control_node_that_was_asked_to_end_says_so_on_its_status_page_with_its_limit() throws Exception {
        RunSettings settings = Recipes.load(
                "embedded-demo",
                List.of("workers.device=virtual", "steps=7", "limits.shutdown-grace=30s", "cluster.port=0"));
        CompletableFuture<ControlNode.Open> opened = new CompletableFuture<>();
        RunEnvironment.Opener node = ControlNode.with(List.of(ControlNode.ROLE), opened::complete, () -> {});
        try (HttpClient http = HttpClient.newHttpClient();
                RunEnvironment control = node.open(settings)) {
            RunPorts ports =
                    new RunPorts(new NoPrompts(), StopWhen.NEVER, control.plane(), control, InstantSource.system());
            DevicePool none = new DevicePool(List.of(), List.of(), List.of());
            try (LocalActorSystem _ = new LocalActorSystem(settings, none, ports, control, ConfigFactory.empty())) {
                String url = opened.join().status();
                awaitOnPage(http, url, "\"preparing\""); // the registry has begun
                control.stage("training", 2);
                awaitOnPage(http, url, "\"training\"");
                control.ending();
                awaitOnPage(http, url, "\"ending as asked (training), limits.shutdown-grace=30000 ms\"");
                control.stage("writing the report", 3);
                awaitOnPage(http, url, "\"ending as asked (writing the report), ", "\"step\":3,\"steps\":7");
            }
        }
    }
}
