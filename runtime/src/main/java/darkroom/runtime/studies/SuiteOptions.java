package darkroom.runtime.studies;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import darkroom.config.ErrorReason;
import darkroom.config.PictureView;
import darkroom.rewardactors.suites.EditSuite;
import darkroom.rewardactors.suites.GEditSuite;
import darkroom.rewardactors.suites.ImgEditSuite;
import darkroom.rewardactors.suites.JudgeSettings;
import darkroom.runtime.base.CommandFailedException;
import darkroom.runtime.base.ExitCode;
import darkroom.runtime.base.PictureViewOption;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of {@code eval --suite}. */
public final class SuiteOptions {
    /** Supported benchmarks. */
    enum Suite {
        IMGEDIT,
        GEDIT
    }

    @Option(
            names = "--suite",
            required = true,
            paramLabel = "SUITE",
            description = "imgedit (ImgEdit-Bench, Basic) or gedit (GEdit-Bench).")
    private Suite suite;

    @Option(
            names = "--items",
            required = true,
            paramLabel = "FILE",
            description = "imgedit: basic_edit.json. gedit: rows of the data set, one JSON object a line.")
    private Path items;

    @Option(
            names = "--sources",
            paramLabel = "DIR",
            description = "Directory of the originals. Default: that of --items.")
    private @Nullable Path sources;

    @Option(
            names = "--judge",
            required = true,
            paramLabel = "URL",
            description = "Base URL of an OpenAI-compatible judge, with or without /v1. A token is taken from"
                    + " DARKROOM_SCORER_TOKEN.")
    private URI judge;

    @Option(names = "--model", paramLabel = "NAME", description = "Model to ask. Default: the first the judge lists.")
    private String model = "";

    @Option(
            names = "--out",
            paramLabel = "OUT",
            description = "File of the result, or a directory, in which it is eval.json. Default: that of --images.")
    private @Nullable Path out;

    @Option(
            names = "--language",
            paramLabel = "LANG",
            description = "gedit: only instructions in this language, en or cn; repeatable. Default: all there are.")
    private Set<String> languages = Set.of();

    @Option(names = "--limit", paramLabel = "N", description = "Only the first N items.")
    private @Nullable Integer limit;

    @Option(names = "--concurrency", paramLabel = "N", description = "Questions in flight. Default: 8.")
    private int concurrency = 8;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "For one attempt, the body included: 500ms, 30s, 2m. Default: 2m.")
    private String timeout = "2m";

    @Option(names = "--attempts", paramLabel = "N", description = "Tries a question. Default: 3.")
    private int attempts = 3;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Tokens of an answer, at most. Default: 1400. Models that reason need more.")
    private int tokensMax = 1400;

    @Option(names = "--temperature", paramLabel = "T", description = "Of the judge's sampling. Default: 0.")
    private double temperature;

    @Option(
            names = "--pictures",
            paramLabel = "VIEW",
            converter = PictureViewOption.class,
            description = PictureViewOption.DESCRIPTION)
    private PictureView pictures = PictureView.DISPLAYED;

    /** Returns how picture files are read. */
    PictureView pictures() {
        return pictures;
    }

    /**
     * Returns the items to judge.
     *
     * @param images directory of edits
     * @throws CommandFailedException if the files are invalid
     */
    EditSuite read(Path images) {
        if (!Files.isDirectory(images)) {
            throw new CommandFailedException(
                    "--images=" + images + " is no directory of edited images", ExitCode.USAGE);
        }
        if (sources != null && !Files.isDirectory(sources)) {
            throw new CommandFailedException("--sources=" + sources + " is no directory", ExitCode.USAGE);
        }
        if (limit != null && limit < 1) {
            throw new CommandFailedException("--limit=" + limit + ": allowed are 1 and above", ExitCode.USAGE);
        }
        if (suite == Suite.IMGEDIT && !languages.isEmpty()) {
            throw new CommandFailedException("--language is of --suite gedit; imgedit has but one", ExitCode.USAGE);
        }
        Path originals = sources != null ? sources : items.resolveSibling("");
        EditSuite all =
                switch (suite) {
                    case IMGEDIT -> ImgEditSuite.read(items, originals, images);
                    case GEDIT -> GEditSuite.read(items, originals, images, languages);
                };
        return limit == null ? all : all.limited(limit);
    }

    /**
     * Returns the judge to ask.
     *
     * @throws CommandFailedException if an option is invalid
     */
    JudgeSettings judge() {
        try {
            Duration time = ConfigFactory.parseMap(Map.of("time", timeout)).getDuration("time");
            return new JudgeSettings(judge, model, concurrency, time, attempts, tokensMax, temperature);
        } catch (ConfigException e) {
            throw new CommandFailedException(
                    "--timeout=" + timeout + " is no time; write 500ms, 30s or 2m", ExitCode.USAGE);
        } catch (IllegalArgumentException e) {
            throw new CommandFailedException(ErrorReason.of(e), ExitCode.USAGE);
        }
    }

    /** Returns the result file. */
    Path out(Path images) {
        Path place = out == null ? images : out;
        return Files.isDirectory(place) ? place.resolve("eval.json") : place;
    }

    /** Returns the files and options, for the result. */
    ObjectNode json(Path images) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("items", items.toString()).put("images", images.toString());
        json.put("sources", sources == null ? null : sources.toString());
        json.put("limit", limit);
        json.put("pictures", pictures.label());
        languages.forEach(json.putArray("languages")::add);
        json.put("concurrency", concurrency).put("timeout", timeout).put("attempts", attempts);
        return json;
    }
}
