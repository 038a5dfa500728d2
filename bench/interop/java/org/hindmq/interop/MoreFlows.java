package org.hindmq.interop;

import java.util.Map;

import javax.jms.Connection;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import javax.jms.Topic;

/** Flows beyond the backbone: durable and shared subscriptions, delayed delivery, groups. Reported, not demanded. */
final class MoreFlows {
   private MoreFlows() { }

   static void add(Map<String, Flow.Body> m) {
      m.put("durable-subscription", MoreFlows::durableSubscription);
      m.put("shared-subscription", MoreFlows::sharedSubscription);
      m.put("delivery-delay", MoreFlows::deliveryDelay);
      m.put("groups", MoreFlows::groups);
   }

   static void groups(Flow f) throws Exception {
      Session s = f.auto();
      MessageConsumer a = s.createConsumer(f.queue(s));
      MessageConsumer b = f.auto().createConsumer(f.queue(s));
      MessageProducer p = s.createProducer(f.queue(s));
      for (int i = 0; i < 10; i++) {
         TextMessage m = s.createTextMessage("" + i);
         m.setStringProperty("JMSXGroupID", "g");
         p.send(m);
      }
      int fromA = 0;
      int fromB = 0;
      for (Message m; (m = a.receive(Flow.SHORT)) != null; fromA++) Flow.same("g", m.getStringProperty("JMSXGroupID"), "group id");
      for (Message m; (m = b.receive(Flow.SHORT)) != null; fromB++) Flow.same("g", m.getStringProperty("JMSXGroupID"), "group id");
      Flow.check(fromA + fromB == 10 && (fromA == 0 || fromB == 0), "one group was split: " + fromA + " and " + fromB);
   }

   static void durableSubscription(Flow f) throws Exception {
      f.connection.close();
      Connection c = f.factory.createConnection(f.user, f.password);
      try {
         c.setClientID(f.tag);
         c.start();
         Session s = c.createSession(false, Session.AUTO_ACKNOWLEDGE);
         Topic t = s.createTopic(f.tag + ".t");
         s.createDurableSubscriber(t, "sub").close();
         s.createProducer(t).send(s.createTextMessage("kept"));
         MessageConsumer again = s.createDurableSubscriber(t, "sub");
         Flow.same("kept", ((TextMessage) Flow.must(again, "message for the absent subscriber")).getText(), "text");
         again.close();
         s.unsubscribe("sub");
      } finally {
         c.close();
      }
   }

   static void sharedSubscription(Flow f) throws Exception {
      Session s = f.auto();
      Topic t = s.createTopic(f.tag + ".t");
      MessageConsumer a = s.createSharedConsumer(t, "shared");
      MessageConsumer b = f.auto().createSharedConsumer(t, "shared");
      MessageProducer p = s.createProducer(t);
      for (int i = 0; i < 10; i++) p.send(s.createTextMessage("" + i));
      int n = 0;
      for (Message m; (m = a.receive(Flow.SHORT)) != null; ) n++;
      for (Message m; (m = b.receive(Flow.SHORT)) != null; ) n++;
      Flow.same(10, n, "messages of the shared subscription");
   }

   static void deliveryDelay(Flow f) throws Exception {
      Session s = f.auto();
      MessageProducer p = s.createProducer(f.queue(s));
      p.setDeliveryDelay(600);
      MessageConsumer c = s.createConsumer(f.queue(s));
      long before = System.nanoTime();
      p.send(s.createTextMessage("later"));
      Flow.must(c, "delayed message");
      long ms = (System.nanoTime() - before) / 1_000_000;
      Flow.check(ms >= 550, "delivered after " + ms + " ms instead of 600");
   }
}
